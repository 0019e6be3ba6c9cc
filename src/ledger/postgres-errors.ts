import { type ErrorKind, FreshetError } from "../errors/index.ts";

type Meaning = readonly [kind: ErrorKind, summary: string, remedy: string];

/** What a SQLSTATE means; five characters, or the two of its class (postgresql.org/docs/current/errcodes-appendix.html). */
const SQL_STATES: Readonly<Record<string, Meaning>> = {
  "08": ["unreachable", "the connection to the ledger's server broke", "Look whether the server runs; it is asked again."],
  "57P01": ["unreachable", "the ledger's server is shutting down", "Start it again; nothing is lost."],
  "57P02": ["unreachable", "the ledger's server has crashed", "Look at its log; it recovers by itself, nothing is lost."],
  "57P03": ["unreachable", "the ledger's server is starting", "Wait a moment; it is asked again."],
  "57P05": ["unreachable", "the ledger's server has ended an idle connection", "It is asked again."],
  "53300": ["unreachable", "the ledger's server has no connection left", "Raise max_connections, or run fewer processes."],
  "28": [
    "storage",
    "the ledger's server does not let this user in",
    "Correct user and password in FRESHET_LEDGER, or pg_hba.conf.",
  ],
  "3D000": ["storage", "the ledger's database is not there", "Create it (createdb), or name another in FRESHET_LEDGER."],
  "3F000": ["storage", "there is no schema for the ledger", "Create the schema that the user's search_path names."],
  "42501": ["storage", "no permission for the ledger", "Grant this user the right to use, read and write its schema and tables."],
  "42P01": ["storage", "a table of the ledger is missing", "Restore the ledger from its backup, or name another database."],
  "42703": ["storage", "the database is not a ledger", "Name another one."],
  "25006": ["storage", "the ledger is read-only", "Name the primary server, not a standby."],
  "53100": ["storage", "no space for the ledger", "Free some space on its server's disk, then try again: nothing is lost."],
  "53": ["storage", "the ledger's server is out of resources", "Look at its log."],
  "40": ["storage", "the ledger is busy", "Other processes write the same rows all the time; try again."],
  "55P03": [
    "storage",
    "the ledger is busy",
    "Another process has held it for 10 s: look for an open transaction, then try again.",
  ],
  "57014": ["storage", "a question to the ledger took too long", "Look at its server's load, then try again."],
  "22": ["malformed", "the ledger cannot hold this text or number", "Correct it at its source: no character U+0000 is possible."],
  "54": ["malformed", "a name is too long for the ledger", "Shorten the granule's key; key and identity have 2 kB together."],
  XX001: ["corrupt", "the ledger's database is damaged", "Restore the ledger from its backup."],
  XX002: ["corrupt", "an index of the ledger is damaged", "Rebuild it (reindex), or restore the ledger from its backup."],
};
const OTHER: Meaning = ["storage", "the ledger's database failed", "Look at the server's log."];

/** What Node says where the server is not there, or the connection breaks. */
const NETWORK_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
]);
/** `pg` and its pool give these errors no code. */
const BROKEN_CONNECTION =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|Query read timeout|timeout exceeded|The server does not support SSL|Postgres connection has been discarded)/;

/** The FreshetError for an error of `pg`, or undefined if it is none. */
export function translatePostgresError(error: unknown, uri: string): FreshetError | undefined {
  if (!(error instanceof Error)) return undefined;
  const cause = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  if (NETWORK_CODES.has(code) || (code === "" && BROKEN_CONNECTION.test(cause.message))) {
    return new FreshetError("unreachable", "the ledger's server does not answer", {
      found: cause.message,
      uri,
      remedy: "Start PostgreSQL, or correct FRESHET_LEDGER; what was acknowledged is there.",
      cause: error,
    });
  }
  if (!/^[0-9A-Z]{5}$/.test(code)) return undefined;
  const [kind, summary, remedy] = SQL_STATES[code] ?? SQL_STATES[code.slice(0, 2)] ?? OTHER;
  return new FreshetError(kind, summary, { found: cause.message, uri, remedy, cause: error });
}

/** Whether the server has given up the transaction in favour of another: serialization failure, deadlock. */
export function isGivenUp(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "40001" || error.code === "40P01");
}
