import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { FreshetError } from "../errors/index.ts";
import type { LedgerBackend } from "./backend.ts";
import { isGivenUp, translatePostgresError } from "./postgres-errors.ts";
import type { Tables } from "./tables.ts";

/** Connections of a process; a server takes 100 by default. */
const MOST_CONNECTIONS = 8;
/** How long an operation waits for a connection, new or free. */
const CONNECT_MS = 10_000;
/** How long a writer waits for another one, as with SQLite. */
const LOCK_MS = 10_000;
/** The longest statement of daily work; those that move tables lift it for themselves. */
const STATEMENT_MS = 60_000;
/** A server that says nothing for so long is gone, as far as a caller is concerned. */
const SILENCE_MS = 5 * 60_000;
/** Type `bigint` (pg_type.oid); `pg` would give it as text. */
const BIGINT = 20;

/**
 * A ledger's database on a PostgreSQL server, `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. Its tables are in the first schema
 * of the user's search path. A connection that is lost is made again by the next operation.
 * @throws FreshetError `usage` for a url that cannot be read. Nothing is connected yet.
 */
export function postgresBackend(url: string, now: () => number): LedgerBackend {
  const uri = withoutCredentials(url);
  const pool = new pg.Pool({
    connectionString: url,
    application_name: "freshet",
    max: MOST_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    lock_timeout: LOCK_MS,
    statement_timeout: STATEMENT_MS,
    query_timeout: SILENCE_MS,
    keepAlive: true,
    types: {
      getTypeParser: (type: number, format?: "text" | "binary") =>
        type === BIGINT ? safeInteger : pg.types.getTypeParser(type, format),
    } as pg.CustomTypesConfig,
  });
  // A connection that breaks leaves the pool by itself; whoever was using it gets the error from its statement.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const translate = (error: unknown) => translatePostgresError(error, uri);
  return { kind: "postgres", db, reader: db, uri, translate, isPassing: isGivenUp, now };
}

/** @throws FreshetError `usage`, which says nothing of what the url holds. */
function withoutCredentials(url: string): string {
  const read = URL.canParse(url) ? new URL(url) : undefined;
  // With an unescaped `/` or `@` in the password, parts of it would be taken for the host or the database.
  if (read === undefined || read.pathname.includes("@") || read.hash !== "") {
    throw new FreshetError("usage", "the ledger's url cannot be read", {
      found: `${url.slice(0, url.indexOf(":"))}:…`,
      expected: "postgres://USER:PASSWORD@HOST:PORT/DATABASE",
      remedy: "Write characters such as / @ # % in the password as %2F %40 %23 %25.",
    });
  }
  const host = read.searchParams.get("host") ?? "localhost";
  return `postgres://${read.host === "" ? host : read.host}${read.pathname}`;
}

function safeInteger(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number)) return number;
  throw new FreshetError("corrupt", "the ledger holds a number that is too large", {
    found: text,
    remedy: "Restore the ledger from its backup.",
  });
}
