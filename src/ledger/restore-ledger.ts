import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { sql, type Transaction } from "kysely";
import { FreshetError } from "../errors/index.ts";
import type { LedgerBackend } from "./backend.ts";
import type { BackupSummary } from "./backup-format.ts";
import { withBackend } from "./describe-ledger.ts";
import { LEDGER_VERSION, lockTables, migrateBetween, versionOf } from "./migrations.ts";
import type { OpenOptions } from "./open-ledger.ts";
import { type BackupRows, OTHER_BACKUP, readBackup } from "./read-backup.ts";
import { tableColumns } from "./table-columns.ts";
import { LEDGER_TABLES } from "./table-keys.ts";
import type { Tables } from "./tables.ts";

/** sqlite.org/rescode.html; PostgreSQL, appendix A. */
const SQLITE_CONSTRAINT = 19;
const UNIQUE_VIOLATION = "23505";

/** Rows of one insert: 20 columns at most, so it stays below SQLite's 32 766 and PostgreSQL's 65 535 parameters. */
const PAGE_ROWS = 1000;

/**
 * Fills an empty ledger, of either kind, from a backup: all of it or nothing, in one transaction. A backup of an older ledger is
 * brought up to date on the way.
 * @throws FreshetError `usage` when the ledger holds anything already; as `readBackup` and `openLedger`.
 */
export function restoreLedger(url: string, path: string, options: OpenOptions = {}): Promise<BackupSummary> {
  const source = resolve(path);
  return withBackend(url, options, async (backend) => {
    const { db, kind, uri } = backend;
    const { header, rows } = await db.transaction().execute(async (trx) => {
      await lockTables(trx, kind);
      await refuseContent(trx, backend);
      let columns: Awaited<ReturnType<typeof tableColumns>> = new Map();
      const read = await readBackup(source, PAGE_ROWS, {
        header: async ({ schema }) => {
          await makeTables(trx, backend, schema, source);
          columns = await tableColumns(trx, kind);
        },
        rows: async (page) => {
          checkColumns(page, columns, source);
          await insert(trx, page).catch((cause: unknown) => {
            throw isTwice(cause) ? damaged(page.table, source, cause) : cause;
          });
        },
      });
      await migrateBetween(trx, backend, read.header.schema, LEDGER_VERSION);
      return read;
    });
    // Until it has looked at the rows, PostgreSQL would plan for empty tables.
    if (kind === "postgres") await sql`analyze ${sql.join(LEDGER_TABLES.map((table) => sql.table(table)))}`.execute(db);
    const { schema, writtenMs } = header;
    return { uri, path: source, rows, schema, writtenMs, bytes: (await stat(source)).size };
  });
}

async function refuseContent(trx: Transaction<Tables>, { kind, uri }: LedgerBackend): Promise<void> {
  if ((await versionOf(trx, kind, uri)) === 0) return;
  for (const table of (await tableColumns(trx, kind)).keys()) {
    const row = await trx.selectFrom(table).select(sql<number>`1`.as("one")).limit(1).executeTakeFirst();
    if (row === undefined) continue;
    throw new FreshetError("usage", "the ledger is not empty", {
      found: `rows in table ${table}`,
      uri,
      remedy: "Restore into a new one: name it in FRESHET_LEDGER.",
    });
  }
}

/** The tables of the ledger that the backup is of, in place of the empty ones. */
async function makeTables(trx: Transaction<Tables>, backend: LedgerBackend, schema: number, path: string): Promise<void> {
  if (schema < 1 || schema > LEDGER_VERSION) {
    throw new FreshetError("unsupported", "the backup is of a ledger of a newer Freshet", {
      found: `version ${schema}`,
      expected: `version ${LEDGER_VERSION} or older`,
      path,
      remedy: "Use the Freshet that wrote it, or a newer one.",
    });
  }
  for (const table of [...LEDGER_TABLES, "ledger_schema"]) await trx.schema.dropTable(table).ifExists().execute();
  await migrateBetween(trx, backend, 0, schema);
}

function checkColumns(page: BackupRows, columns: ReadonlyMap<string, readonly string[]>, path: string): void {
  const there = columns.get(page.table);
  if (there !== undefined && page.columns.every((column) => there.includes(column))) return;
  throw new FreshetError("corrupt", "the backup holds a table that the ledger does not have", {
    found: `${page.table} (${page.columns.join(", ")})`.slice(0, 400),
    path,
    remedy: "Use another backup; the ledger is as it was.",
  });
}

/** A backup has each row once, so that a database which finds one twice has read a damaged file, before its closing line could say so. */
function isTwice(error: unknown): boolean {
  const { errcode, code } = error as { readonly errcode?: number; readonly code?: string };
  return (errcode !== undefined && (errcode & 0xff) === SQLITE_CONSTRAINT) || code === UNIQUE_VIOLATION;
}

function damaged(table: string, path: string, cause: unknown): FreshetError {
  const found = `a row twice in table ${table}`;
  return new FreshetError("corrupt", "the backup is damaged", { found, path, remedy: OTHER_BACKUP, cause });
}

async function insert(trx: Transaction<Tables>, { table, columns, rows }: BackupRows): Promise<void> {
  await sql`
    insert into ${sql.table(table)} (${sql.join(columns.map((column) => sql.ref(column)))})
    values ${sql.join(rows.map((row) => sql`(${sql.join(row)})`))}`.execute(trx);
}
