import type { PublicationPlan } from "../contract/index.ts";
import type { Revision } from "../ledger/index.ts";
import type { Hold } from "../products/index.ts";
import type { ProductState } from "./product-store.ts";
import type { Wanted } from "./wanted.ts";

/** Called between the parts of something long, with what is being done. */
export type Tick = (what: string) => void;

/** One product's turn: where it stands, what is to come, and which revisions it is about. */
export interface Turn {
  readonly state: ProductState;
  readonly plan: PublicationPlan;
  readonly wanted: Wanted;
  /** Whose state in the ledger follows from it. */
  readonly arrivals: readonly Revision[];
  /** The ledger knows of the stored publication (or nothing is stored). */
  readonly isOnRecord: boolean;
  /** Everything is written anew, whatever is there. */
  readonly isFresh?: boolean;
  /** The operator's request that it answers. */
  readonly request?: string | undefined;
  readonly hold?: Hold | undefined;
  /** What else there is to say of it. */
  readonly notes?: readonly string[] | undefined;
}
