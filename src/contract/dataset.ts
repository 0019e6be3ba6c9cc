import type { DatasetReference } from "./granule.ts";

export interface DatasetInput {
  readonly dataset: DatasetReference;
  /** Milliseconds to wait after a wake, so that what arrives together is published together. */
  readonly coalesceMs: number;
  /** Milliseconds after which it looks into the ledger even though nobody woke it. */
  readonly lookEveryMs: number;
  /** How often its stores are tidied. Milliseconds. */
  readonly upkeepEveryMs: number;
  /** Some product has a form beside its store. */
  readonly hasForms?: boolean | undefined;
  /** Carried over continue-as-new. */
  readonly published: number;
  readonly wakes: number;
  /** When the stores were tidied last, milliseconds since 1970; undefined at the first start. */
  readonly tidiedMs?: number | undefined;
  readonly isPaused?: boolean | undefined;
}

/**
 * `troubled`: a product cannot be published until somebody does something; it is tried again at each turn. `held`: an operator
 * holds a product at an earlier version. `operating`: it does what an operator asked for. `quiet`: an alarm is open, since nothing comes.
 * `paused`: an operator lets nothing be published.
 */
export type DatasetStage =
  | "idle"
  | "coalescing"
  | "combining"
  | "appending"
  | "operating"
  | "troubled"
  | "held"
  | "quiet"
  | "paused";

/** The answer of the query `status`. */
export interface DatasetStatus {
  readonly stage: DatasetStage;
  readonly dataset: DatasetReference;
  /** Versions published by this workflow, over all its runs. */
  readonly published: number;
  readonly wakes: number;
  readonly last: PublicationResult | undefined;
  /** Why products could not be published at the last turn; empty when all is well. */
  readonly troubles: readonly string[];
  /** Products that are held at an earlier version, and why. */
  readonly held: readonly string[];
  /** How far the forms beside the stores were at the last look. */
  readonly forms?: readonly FormState[] | undefined;
  /** Open alarms: what should have come and has not. */
  readonly quiet: readonly string[];
}

/** The signal `configure`: the dataset file changed in place. */
export interface DatasetSettings {
  readonly dataset: DatasetReference;
  readonly coalesceMs: number;
  readonly upkeepEveryMs: number;
  readonly hasForms?: boolean | undefined;
  /** Default: as at its start. */
  readonly lookEveryMs?: number | undefined;
}

/** What a publication would change, as `combine` found it. Small: the granules themselves stay in the ledger. */
export interface PublicationPlan {
  readonly product: string;
  readonly kind: PublicationKind;
  /** Number of this publication, counted from 1. */
  readonly sequence: number;
  /** Version (snapshot id) that it builds on. */
  readonly parent: string;
  readonly layoutHash: string;
  /** Sequence number in the ledger up to which it has read. */
  readonly cursor: number;
  readonly added: number;
  readonly replaced: number;
  readonly removed: number;
  /** True: the stored layout is the wanted one, only the ledger may have to learn of it. */
  readonly unchanged: boolean;
  /** More than one publication takes in is waiting: the next turn follows at once. */
  readonly isCut?: boolean | undefined;
}

/** What a publication is: the next granules, or what an operator asked for. */
export type PublicationKind = "publication" | "rollback" | "release" | "rebuild" | "overwrite";

/** A product for which no plan can be made, and why. The other products of the dataset go on. */
export interface ProductTrouble {
  readonly product: string;
  /**
   * Which kind of error; `held`: an operator holds it at an earlier version, and nothing is wrong; `quiet`: nothing comes, and it is
   * about no product.
   */
  readonly kind: string;
  readonly trouble: string;
}

/** How far a form of a product is that is published beside its store. */
export interface FormState {
  readonly product: string;
  /** Its kind and place: `kerchunk-json file:///…`. */
  readonly form: string;
  /** The publication that it shows; undefined while it shows none. */
  readonly shows: number | undefined;
  /** The newest publication of the product. */
  readonly newest: number;
  /** Why it could not be written; "" where nothing is wrong. */
  readonly trouble: string;
  /** When it is to be written next, milliseconds since 1970; undefined where it shows the newest. */
  readonly dueMs: number | undefined;
}

export interface PublicationResult {
  readonly product: string;
  readonly sequence: number;
  /** The version that readers see now. */
  readonly version: string;
  readonly granules: number;
  readonly changed: number;
  readonly atMs: number;
}
