import type { PublicationPlan } from "../contract/index.ts";
import type { Revision } from "../ledger/index.ts";
import type { LayoutDifference, Placement } from "../products/index.ts";
import type { ScanAddress } from "../scan/index.ts";
import type { ProductState } from "./product-store.ts";

/** Called between the parts of something long, with what is being done. */
export type Tick = (what: string) => void;

/** One product's turn: where it stands, what is to come, and which revisions it is about. */
export interface Turn {
  readonly state: ProductState;
  readonly plan: PublicationPlan;
  readonly placement: Placement;
  readonly difference: LayoutDifference;
  readonly arrivals: readonly Revision[];
  /** The scan that gives the product its form; undefined for a turn that changes only the ledger. */
  readonly template: ScanAddress | undefined;
  /** The ledger knows of the stored publication (or nothing is stored). */
  readonly isOnRecord: boolean;
}
