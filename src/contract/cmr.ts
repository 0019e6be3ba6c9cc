/** Where a look at CMR goes on. */
export interface CmrPlace {
  /** Searches that are still to be made, by their keys, the next one last. */
  readonly searches: readonly string[];
  /** Of the last of them: its collection's concept id, since when it asks, when it began (milliseconds since 1970), and CMR's token of its next page. */
  readonly begun?:
    | { readonly collection: string; readonly sinceMs: number; readonly atMs: number; readonly after: string }
    | undefined;
}

/** What a look at CMR found. */
export interface CmrSums {
  /** Granules that CMR told of. */
  readonly looked: number;
  /** Of these: announced, since they are new, or revised since the ledger heard of them. */
  readonly announced: number;
  /** Granules that the ledger has in that state. */
  readonly known: number;
  /** Granules without a link that the source may name and a dataset's grammar knows. */
  readonly foreign: number;
  /** Granules that CMR has deleted, and were announced as removed. */
  readonly removed: number;
}

/** Since when each search asks next, by its key: milliseconds since 1970. */
export type CmrSince = Readonly<Record<string, number>>;

/** The result of a look; Temporal hands it to the next one. */
export interface CmrLook extends CmrSums {
  readonly since: CmrSince;
}

export interface CmrInput {
  /** Name of the source. */
  readonly source: string;
  /** Carried over continue-as-new. */
  readonly at?: CmrPlace | undefined;
  readonly look?: CmrLook | undefined;
}

/** A part of a look. */
export interface CmrSearched extends CmrSums {
  /** Searches that came to their end. */
  readonly since: CmrSince;
  /** What people should know, a line each. */
  readonly notes: readonly string[];
  /** Undefined: that was all. */
  readonly next: CmrPlace | undefined;
}

export interface CmrActivities {
  /**
   * Asks the CMR of a source for some pages of what is new, revised or deleted in the collections of its datasets, from `at` on (undefined:
   * from the beginning), and announces it. A source that no dataset searches any more has nothing.
   */
  searchCmr(source: string, at: CmrPlace | undefined, since: CmrSince): Promise<CmrSearched>;
}
