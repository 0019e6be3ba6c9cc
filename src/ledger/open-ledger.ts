import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { FreshetError } from "../errors/index.ts";
import { makeFolder } from "../storage/index.ts";
import type { LedgerBackend } from "./backend.ts";
import type { Ledger } from "./ledger.ts";
import { postgresBackend } from "./postgres.ts";
import { SqlLedger } from "./sql-ledger.ts";
import { openSqliteFile, sqliteBackend } from "./sqlite.ts";

export interface OpenOptions {
  /** The clock, milliseconds since 1970. Default: the machine's. */
  readonly now?: (() => number) | undefined;
}

/**
 * Opens the ledger at `sqlite:PATH`, PATH or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. Where there is none, it is made: an
 * SQLite file with the folder that it is in, the tables in an empty database. Several processes may have it open at once.
 *
 * An older SQLite ledger is brought up to date; an older PostgreSQL one, which other machines may be using, is refused.
 * @throws FreshetError `storage` when it cannot be opened or written, belongs to something else, or was written by an older or
 *   a newer Freshet; `unreachable` when its server does not answer; `usage` for a url of another kind.
 */
export async function openLedger(url: string, options: OpenOptions = {}): Promise<Ledger> {
  return SqlLedger.open(await openBackend(url, options));
}

/**
 * The database at a ledger's url, as it is. The caller closes it.
 * @param options `mustExist`: an SQLite file that is not there is refused, not made.
 * @throws FreshetError as `openLedger`.
 */
export async function openBackend(
  url: string,
  { now = Date.now, mustExist = false }: OpenOptions & { readonly mustExist?: boolean } = {},
): Promise<LedgerBackend> {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(url)?.[1]?.toLowerCase();
  if (scheme === "postgres" || scheme === "postgresql") return postgresBackend(url, now);
  if ((scheme !== undefined && scheme !== "sqlite") || url === "" || url === "sqlite:") {
    throw new FreshetError("usage", "a ledger is an SQLite file or a PostgreSQL database", {
      // What follows the scheme may hold a password.
      found: scheme === undefined || scheme === "sqlite" ? "no path" : `${scheme}:…`,
      expected: "sqlite:PATH, PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE",
    });
  }
  const path = resolve(url.replace(/^sqlite:/i, ""));
  const uri = `sqlite:${path}`;
  if (mustExist && !existsSync(path)) {
    throw new FreshetError("storage", "there is no ledger", { uri, remedy: "Name another one (FRESHET_LEDGER, FRESHET_HOME)." });
  }
  try {
    await makeFolder(dirname(path));
  } catch (cause) {
    throw new FreshetError("storage", "the ledger's folder cannot be made", {
      found: (cause as Error).message,
      uri,
      remedy: "Name a folder that this user may write to.",
      cause,
    });
  }
  return sqliteBackend(openSqliteFile(path, uri), uri, now);
}

/** Closes what `openBackend` has opened. */
export async function closeBackend({ db, reader }: LedgerBackend): Promise<void> {
  if (reader !== db) await reader.destroy();
  await db.destroy();
}
