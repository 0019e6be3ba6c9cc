/** A file as a listing tells of it. */
export interface ListedFile {
  readonly uri: string;
  /** Bytes, where the listing says so exactly. */
  readonly size?: number | undefined;
  readonly etag?: string | undefined;
  /** Milliseconds since 1970, in the resolution that reading the file gives. */
  readonly lastModifiedMs?: number | undefined;
  /** A time that the listing shows to people: to the minute, in a zone that it does not name, as if it were UTC. */
  readonly shownMs?: number | undefined;
}

/** A folder's content, or a part of it. */
export interface ListedPage {
  readonly files: readonly ListedFile[];
  /** Folders in it, as uris that end in `/`. Empty where the listing goes all the way down by itself (S3). */
  readonly folders: readonly string[];
  /** Where the next page begins; undefined: this was the last one. */
  readonly next: string | undefined;
  /** Entries that cannot be granules: names that no uri can say, pipes, links out of the folder. */
  readonly passedOver: number;
}

/** Entries of one page at most: Temporal and the ledger hear of each. More in one folder is refused. */
export const MOST_ENTRIES = 100_000;
