import type { Dataset, Product } from "../dataset/index.ts";
import type { Ledger } from "../ledger/index.ts";
import type { StoredState } from "../products/index.ts";
import type { ScanStore } from "../scan/index.ts";
import type { ProductState } from "./product-store.ts";
import type { Tick } from "./turn.ts";

/**
 * What is compared: what readers see with the ledger's newest publication; the layout with the ledger's published revisions (while
 * held: with the version shown); where references point with what they expect; chunks with another decoder's reading of the source.
 */
export type CheckSubject = "version" | "layout" | "source" | "chunk";

/** How much of something was compared. */
export interface Compared {
  readonly subject: CheckSubject;
  readonly count: number;
  /** What there is to compare. */
  readonly of: number;
  /** What was not compared and why, or "". */
  readonly note: string;
}

/** Two that should say the same and do not. */
export interface Disagreement {
  readonly subject: CheckSubject;
  /** The granule, chunk or store. */
  readonly where: string;
  readonly found: string;
  readonly expected: string;
  /** What to do about it. */
  readonly remedy: string;
}

export interface ProductCheck {
  readonly product: string;
  /** The version that readers see; undefined where there is none. */
  readonly version: string | undefined;
  readonly sequence: number | undefined;
  /** The publication that an operator holds it at. */
  readonly heldAt: number | undefined;
  readonly compared: readonly Compared[];
  readonly disagreements: readonly Disagreement[];
}

export interface CheckOptions {
  /** Chunks that are read again, at most. */
  readonly chunks: number;
  /** Granules whose sources are looked at, at most: those of the newest valid times. */
  readonly sources: number;
  readonly tick?: Tick;
  readonly signal?: AbortSignal;
}

/** One comparison's part of the whole. */
export interface Checked {
  readonly compared: Compared;
  readonly disagreements: readonly Disagreement[];
}

/** What the parts of a check work with. */
export interface CheckContext extends CheckOptions {
  readonly dataset: Dataset;
  readonly product: Product;
  readonly state: ProductState;
  readonly stored: StoredState;
  readonly ledger: Ledger;
  readonly scans: ScanStore;
  readonly tick: Tick;
}
