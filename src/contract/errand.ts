import type { DatasetReference } from "./granule.ts";

/** A granule is to be announced again, from where it came last. */
export interface Replay {
  /** Its key, as the ledger and the id of its workflow have it. */
  readonly granule: string;
}

export interface Replayed {
  readonly workflowId: string;
  readonly uri: string;
}

/** The granules of a span are to be brought in, behind live work. */
export interface BackfillRequest {
  /** Instants or dates, both ends inclusive: `2017-06-05`, `2017-06-05T12:00Z`. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Who knows them: `names` (made up from the calendar; default), `listing`, `cmr`. */
  readonly source?: "names" | "listing" | "cmr" | undefined;
  /** Granules under way at once. Default: 100. */
  readonly window?: number | undefined;
  /** Also those that the ledger has. */
  readonly again?: boolean | undefined;
}

/** What operators have done by the way, beside publications. */
export interface ErrandActivities {
  replay(dataset: DatasetReference, asked: Replay): Promise<Replayed>;
  /** Starts the backfill; the same one again meets the first. */
  backfill(dataset: DatasetReference, asked: BackfillRequest): Promise<{ readonly workflowId: string }>;
}
