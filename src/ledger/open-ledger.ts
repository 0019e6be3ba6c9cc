import { dirname, resolve } from "node:path";
import { FreshetError } from "../errors/index.ts";
import { makeFolder } from "../storage/index.ts";
import type { Ledger } from "./ledger.ts";
import { SqlLedger } from "./sql-ledger.ts";
import { openSqliteFile, sqliteBackend } from "./sqlite.ts";

/**
 * Opens the ledger at `sqlite:PATH` or PATH, and makes it, with the folder that it is in, where there is none.
 * Several processes may have it open at once.
 * @throws FreshetError `storage` when it cannot be opened or written, belongs to something else, or was written by a newer
 *   Freshet; `usage` for a url of another kind.
 */
export async function openLedger(url: string, options: { readonly now?: () => number } = {}): Promise<Ledger> {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(url)?.[1]?.toLowerCase();
  if ((scheme !== undefined && scheme !== "sqlite") || url === "" || url === "sqlite:") {
    throw new FreshetError("usage", "this version keeps its ledger in an SQLite file", {
      // What follows the scheme may hold a password.
      found: scheme === undefined || scheme === "sqlite" ? "no path" : `${scheme}:…`,
      expected: "sqlite:PATH or PATH",
    });
  }
  const path = resolve(url.replace(/^sqlite:/i, ""));
  const uri = `sqlite:${path}`;
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
  return SqlLedger.open(sqliteBackend(openSqliteFile(path, uri), uri, options.now ?? Date.now));
}
