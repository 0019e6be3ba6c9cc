/** Where a listing goes on: folders that are still to be looked at, the next one last. */
export interface ListingPlace {
  /** Uris that end in `/`. */
  readonly folders: readonly string[];
  /** Of the last of them: the key after which the next page begins (S3). */
  readonly after?: string | undefined;
}

/** What a listing found. */
export interface ListingSums {
  /** Files that it saw. */
  readonly looked: number;
  /** Granules among them that were announced: new, or changed since the ledger heard of them. */
  readonly announced: number;
  /** Granules that the ledger has in that state. */
  readonly known: number;
  /** Files that no dataset's grammar names. */
  readonly foreign: number;
  /** Granules that are not there any more, and were announced as removed. */
  readonly removed: number;
  /** Folders that are not there. */
  readonly absent: number;
}

export interface ListingInput {
  /** Name of the source. */
  readonly source: string;
  /** Carried over continue-as-new. */
  readonly at?: ListingPlace | undefined;
  readonly sums?: ListingSums | undefined;
}

/** A part of a listing. */
export interface Listed extends ListingSums {
  /** What people should know, a line each. */
  readonly notes: readonly string[];
  /** Undefined: that was all. */
  readonly next: ListingPlace | undefined;
}

export interface ListingActivities {
  /**
   * Looks at some pages of a source's folders from `at` on (undefined: from the beginning, with the folders that the dataset files in
   * force name now), and announces what is new, changed or gone. A source that no dataset lists any more has nothing.
   */
  list(source: string, at: ListingPlace | undefined): Promise<Listed>;
}
