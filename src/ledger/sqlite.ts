import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { Kysely, type SqliteDatabase, SqliteDialect, type SqliteStatement } from "kysely";
import { FreshetError } from "../errors/index.ts";
import type { LedgerBackend } from "./backend.ts";
import { readerDialect } from "./sqlite-reader.ts";
import type { Tables } from "./tables.ts";

/** How long a writer waits for another process; the longest wait measured with four writing processes was 3 s. */
const BUSY_TIMEOUT_MS = 10_000;
/** Statements that are kept prepared (twice the upserts each second); longer ones are bulk inserts, used once. */
const KEPT_STATEMENTS = 200;
const KEPT_STATEMENT_CHARACTERS = 4000;

/**
 * A ledger's database in an SQLite file: WAL, so that readers and one writer do not wait for each other, and
 * `synchronous=FULL`, so that what is acknowledged survives a power cut.
 * @throws FreshetError `storage` when the file cannot be opened or belongs to something else.
 */
export function sqliteBackend(database: DatabaseSync, uri: string, now: () => number): LedgerBackend {
  const translate = (error: unknown) => translateSqliteError(error, uri);
  try {
    database.exec(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`);
    refuseForeign(database, uri);
    useWal(database);
    database.exec("pragma synchronous = full");
  } catch (error) {
    database.close();
    throw translate(error) ?? error;
  }
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: adapt(database) }) });
  const path = database.location();
  const reader = path === null ? db : new Kysely<Tables>({ dialect: readerDialect(path) });
  return { kind: "sqlite", db, reader, uri, translate, isPassing: () => false, now };
}

export function openSqliteFile(path: string, uri: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  } catch (error) {
    throw translateSqliteError(error, uri) ?? error;
  }
}

/** The FreshetError for an error of node:sqlite, or undefined if it is none. */
export function translateSqliteError(error: unknown, uri: string): FreshetError | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  // Extended result codes keep the primary code in their low byte (sqlite.org/rescode.html).
  const [kind, summary, remedy] = SQLITE_ERRORS[error.errcode & 0xff] ?? [
    "storage",
    "the ledger's database failed",
    "Check the disk and the file's permissions.",
  ];
  return new FreshetError(kind, summary, { found: error.message, uri, remedy, cause: error });
}

const SQLITE_ERRORS: Readonly<Record<number, readonly ["storage" | "corrupt", summary: string, remedy: string]>> = {
  3: ["storage", "no permission for the ledger", "Give this user the right to write to the file and to its folder."],
  5: [
    "storage",
    "the ledger is busy",
    "Another process has held it for 10 s: look for a stopped freshet process, then try again.",
  ],
  6: ["storage", "the ledger is locked", "Try again."],
  8: ["storage", "the ledger is read-only", "Give this user the right to write to the file and to its folder."],
  10: ["storage", "the disk under the ledger failed", "Check the disk; network file systems do not fit SQLite."],
  11: ["corrupt", "the ledger's database is damaged", "Restore the ledger from its backup."],
  13: ["storage", "no space for the ledger", "Free some space on its disk, then try again: nothing is lost."],
  14: ["storage", "the ledger cannot be opened", "Check that its folder exists and that this user may write there."],
  23: ["storage", "no permission for the ledger", "Give this user the right to write to the file and to its folder."],
  26: ["storage", "the ledger's file is not an SQLite database", "Name another file, or move this one away."],
};

function refuseForeign(database: DatabaseSync, uri: string): void {
  const tables = database.prepare("select name from sqlite_master where type = 'table' order by name").all();
  if (tables.length === 0 || tables.some((table) => table.name === "ledger_schema")) return;
  throw new FreshetError("storage", "the file is an SQLite database, but not a ledger", {
    found: `table ${tables[0]?.name}`,
    expected: "table ledger_schema",
    uri,
    remedy: "Name another file.",
  });
}

/** The mode stays with the file. Of several processes that open a new one at once, some find it busy in spite of the timeout. */
function useWal(database: DatabaseSync): void {
  const deadline = Date.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      const [answer] = database.prepare("pragma journal_mode = wal").all();
      if (answer?.journal_mode === "wal" || answer?.journal_mode === "memory" || Date.now() > deadline) return;
    } catch (error) {
      if (!isBusy(error) || Date.now() > deadline) throw error;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && Number(error.errcode) % 256 === 5;
}

/** node:sqlite in the shape that Kysely's SQLite dialect asks for. */
function adapt(database: DatabaseSync): SqliteDatabase {
  const kept = new Map<string, SqliteStatement>();
  return {
    close: () => database.close(),
    prepare: (sql) => {
      // After some errors (a full disk) SQLite has rolled back by itself, and a second time would hide the reason.
      if (sql === "rollback" && !database.isTransaction) return NOTHING;
      const known = kept.get(sql);
      if (known !== undefined) return known;
      // A transaction that reads first and writes later would otherwise fail at once, without waiting, when another
      // process has written in between (SQLITE_BUSY_SNAPSHOT).
      const statement = adaptStatement(database.prepare(sql === "begin" ? "begin immediate" : sql));
      if (sql.length <= KEPT_STATEMENT_CHARACTERS) {
        if (kept.size >= KEPT_STATEMENTS) kept.clear();
        kept.set(sql, statement);
      }
      return statement;
    },
  };
}

const NOTHING: SqliteStatement = {
  reader: false,
  all: () => [],
  run: () => ({ changes: 0, lastInsertRowid: 0 }),
  iterate: () => [].values(),
};

function adaptStatement(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
    run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
    iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
  };
}
