/**
 * A backup is gzip of JSON lines, the same for every kind of database:
 *
 *     {"format":"freshet ledger","version":1,"schema":2,"writtenMs":1496664000000}
 *     {"table":"events","columns":["dataset","seq",…]}      then the table's rows, each an array of its values
 *     ["ostia",1,…]
 *     {"end":{"rows":1,"sha256":"…"}}                        over all bytes before this line, line ends included
 */
export const BACKUP_FORMAT = "freshet ledger";
/** Of the lines; what is in the tables is said by `schema`, the ledger's version. */
export const BACKUP_VERSION = 1;

export interface BackupHeader {
  readonly format: typeof BACKUP_FORMAT;
  readonly version: number;
  readonly schema: number;
  readonly writtenMs: number;
}

/** Begins a table's rows. */
export interface BackupTable {
  readonly table: string;
  readonly columns: readonly string[];
}

export interface BackupEnd {
  readonly end: {
    /** Of all tables. */
    readonly rows: number;
    /** Hex, of every byte before the closing line. */
    readonly sha256: string;
  };
}

export type BackupValue = string | number | null;
export type BackupLine = BackupHeader | BackupTable | readonly BackupValue[] | BackupEnd;

/** What a backup holds, as its writer or its reader counted it. */
export interface BackupSummary {
  /** The ledger that was written or filled. */
  readonly uri: string;
  readonly path: string;
  /** Of all tables. */
  readonly rows: number;
  /** The ledger's version when it was written. */
  readonly schema: number;
  /** When it was written, milliseconds since 1970. */
  readonly writtenMs: number;
  /** Of the file. */
  readonly bytes: number;
}
