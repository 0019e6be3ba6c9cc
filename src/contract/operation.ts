import type { DatasetSettings } from "./dataset.ts";

interface Asked {
  /** Which product; may be left out where the dataset has one. */
  readonly product?: string | undefined;
  /** Why; goes into the version's message. */
  readonly reason?: string | undefined;
  /** Who asked. */
  readonly by?: string | undefined;
}

/** The update `rollback`: publishes the layout of an earlier version again, and holds the product there until it is released. */
export interface Rollback extends Asked {
  /** Number of the publication, or its version (snapshot id). */
  readonly to: number | string;
  /** Write and verify it, and leave it unpublished. */
  readonly dryRun?: boolean | undefined;
}

/** The update `release`: ends a hold, and publishes what the ledger says should stand there. */
export type Release = Asked;

/**
 * The update `rebuild`: writes a product from the ledger as if it were new, beside what readers see, then switches. With a range
 * only the granules that are valid there are written again, from scans that are made anew.
 */
export interface Rebuild extends Asked {
  /** First valid time (inclusive), ISO 8601. */
  readonly from?: string | undefined;
  /** Last valid time (inclusive), ISO 8601. */
  readonly to?: string | undefined;
  /** Granules at most, the first by valid time. Of a whole product this is a trial, and stays unpublished. */
  readonly limit?: number | undefined;
  readonly dryRun?: boolean | undefined;
}

/** The update `candidate`: writes and verifies the next version without publishing it. */
export type Candidate = Asked;

/** The update `upkeep`: removes what the stores do not need any more. */
export interface Upkeep extends Asked {
  readonly dryRun?: boolean | undefined;
}

/** The update `change`: another dataset file, after its products have been rebuilt aside by it. */
export interface Change extends Asked, DatasetSettings {
  /** Products to rebuild. */
  readonly rebuild: readonly string[];
}

export type Operation =
  | ({ readonly kind: "rollback" } & Rollback)
  | ({ readonly kind: "release" } & Release)
  | ({ readonly kind: "rebuild" } & Rebuild)
  | ({ readonly kind: "candidate" } & Candidate)
  | ({ readonly kind: "upkeep" } & Upkeep)
  | ({ readonly kind: "change" } & Change);

/** What came of an operation on one product. */
export interface OperationResult {
  readonly product: string;
  readonly kind: Operation["kind"];
  /** The version that was made, readable; undefined where nothing had to be written. */
  readonly version: string | undefined;
  readonly sequence: number;
  readonly granules: number;
  /** Granules that were written. */
  readonly changed: number;
  /** False: nobody sees it but who opens the version by its id. */
  readonly isPublished: boolean;
  /** What else there is to say, a line each. */
  readonly notes: readonly string[];
}
