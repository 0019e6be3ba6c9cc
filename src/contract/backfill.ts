import type { DatasetReference } from "./granule.ts";

/** Granules that somebody else is asked for: CMR, or the listing of the source. Milliseconds since 1970, inclusive; undefined: without that end. */
export interface BackfillSearch {
  readonly by: "cmr" | "listing";
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
}

/** Where a search goes on: with a page of a collection, or folders that are still to be looked at, the next one last. */
export interface FindPlace {
  /** Concept id. */
  readonly collection?: string | undefined;
  readonly folders?: readonly string[] | undefined;
  /** CMR's token, or the key after which the next page of a bucket begins. */
  readonly after?: string | undefined;
}

/** How far a search is. */
export interface BackfillFound {
  /** Bytes of the list that are written. */
  readonly offset: number;
  /** Uris in them. */
  readonly total: number;
  /** Undefined: before the beginning, and at the end. */
  readonly next: FindPlace | undefined;
}

/** Granules that are announced one after the other, behind live work. */
export interface BackfillInput {
  readonly dataset: DatasetReference;
  /** A file with a uri on each line: `file:///…`. */
  readonly list: string;
  /** Uris in it. */
  readonly total: number;
  /** Granules under way at once; as many go into one publication. */
  readonly window: number;
  /** Granules that the ledger has from that place are announced all the same. */
  readonly again: boolean;
  /** The list is to be made first: what is found goes into it. */
  readonly search?: BackfillSearch | undefined;
  /** How far that is, after continue-as-new. */
  readonly found?: BackfillFound | undefined;
  /** Where it goes on after continue-as-new. */
  readonly at?: BackfillPlace | undefined;
}

/** How far a backfill is. */
export interface BackfillPlace {
  /** Bytes of the list that are done with. */
  readonly offset: number;
  /** Announced, and not settled yet. */
  readonly pending: readonly BackfillGranule[];
  readonly counts: BackfillCounts;
  /** Settled since the last publication was asked for. */
  readonly unpublished: number;
  readonly isPaused: boolean;
}

export interface BackfillGranule {
  readonly key: string;
  readonly uri: string;
}

export interface BackfillCounts {
  readonly announced: number;
  /** In the ledger from that place already. */
  readonly known: number;
  /** Not at the source. */
  readonly absent: number;
  /** Named by no grammar of the dataset, or outside of its source. */
  readonly foreign: number;
  /** Too young yet for the dataset's `hold`: left to live work. */
  readonly held: number;
  readonly ready: number;
  readonly quarantined: number;
  /** Ended otherwise: superseded, duplicate, skipped, withdrawn. */
  readonly others: number;
}

/** The answer of the query `status`. */
export interface BackfillStatus {
  readonly dataset: string;
  readonly total: number;
  /** Uris that are looked at: all counts but those of what is under way. */
  readonly done: number;
  readonly underWay: number;
  readonly isPaused: boolean;
  readonly counts: BackfillCounts;
}

/** The next lines of the list. */
export interface BackfillPage {
  readonly offset: number;
  readonly isEnd: boolean;
  readonly announced: readonly BackfillGranule[];
  /** Taken in at once, without a workflow; absent in histories of before. */
  readonly ready?: number;
  /** Of the known ones, those that wait for a publication: an attempt that died may have taken them in. */
  readonly waiting?: number;
  readonly known: number;
  readonly absent: number;
  readonly foreign: number;
  readonly held: number;
}

/** How granules ended. */
export interface BackfillSettled {
  readonly pending: readonly BackfillGranule[];
  readonly ready: number;
  readonly quarantined: number;
  readonly others: number;
}

export interface BackfillActivities {
  /** Writes what the next pages of the input's search tell of into the list. */
  find(input: BackfillInput, found: BackfillFound): Promise<BackfillFound>;
  /**
   * Takes in what the next `most` lines of the list name, as far as it is there and the ledger does not have it. Where that does not go
   * smoothly, or has begun before, the granule is announced: it gets a workflow of its own.
   */
  announcePage(input: BackfillInput, offset: number, most: number): Promise<BackfillPage>;
  /** Which of these granules the ledger says have ended? Waits for at least one for a while. */
  settle(input: BackfillInput, pending: readonly BackfillGranule[]): Promise<BackfillSettled>;
  /** Wakes the dataset. */
  publishWindow(dataset: DatasetReference): Promise<void>;
}
