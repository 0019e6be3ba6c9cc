import type { Kysely } from "kysely";
import type { FreshetError } from "../errors/index.ts";
import type { Tables } from "./tables.ts";

/** The databases that a ledger can be kept in. */
export type LedgerKind = "sqlite" | "postgres";

/** What a database brings for a ledger to be kept in it. */
export interface LedgerBackend {
  readonly kind: LedgerKind;
  readonly db: Kysely<Tables>;
  /** For questions that may take long: where `db` holds the event loop, this one does not. May be `db` itself. */
  readonly reader: Kysely<Tables>;
  /** Without credentials. */
  readonly uri: string;
  /** The FreshetError for an error of the database's driver; undefined for anything else. */
  readonly translate: (error: unknown) => FreshetError | undefined;
  /** Whether a transaction that failed with this error may succeed when it is run again at once. */
  readonly isPassing: (error: unknown) => boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}
