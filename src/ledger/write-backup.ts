import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { access, link, open, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { type Kysely, sql } from "kysely";
import { FreshetError } from "../errors/index.ts";
import { makeFolder } from "../storage/index.ts";
import type { LedgerBackend, LedgerKind } from "./backend.ts";
import { BACKUP_FORMAT, BACKUP_VERSION, type BackupLine, type BackupSummary, type BackupValue } from "./backup-format.ts";
import { withBackend } from "./describe-ledger.ts";
import { versionOf } from "./migrations.ts";
import type { OpenOptions } from "./open-ledger.ts";
import { tableColumns } from "./table-columns.ts";
import { type LedgerTable, TABLE_KEYS } from "./table-keys.ts";
import type { Tables } from "./tables.ts";

/** Rows that are in memory at once. */
const PAGE_ROWS = 1000;

/** One moment's view of everything, which holds no writer up. */
const BEGIN_READING: Readonly<Record<LedgerKind, string>> = {
  sqlite: "begin deferred",
  postgres: "start transaction isolation level repeatable read, read only",
};

/**
 * Writes the ledger as it is at one moment into one file, which `restoreLedger` reads into a ledger of either kind. Writers go on
 * meanwhile; the ledger's version may be an older one. The file is there whole or not at all.
 * @throws FreshetError `usage` when the file is there already; `storage` when it cannot be written; as `openLedger`.
 */
export function backUpLedger(url: string, path: string, options: OpenOptions = {}): Promise<BackupSummary> {
  const target = resolve(path);
  return withBackend(url, { ...options, mustExist: true }, async (backend) => {
    await refuseOverwriting(target);
    const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.partial`);
    try {
      const summary = await reading(backend, (db) => writeFile(db, backend, temporary));
      // A link is refused where something has come there in the meantime; renaming would overwrite it.
      await link(temporary, target);
      const { size } = await stat(target);
      return { ...summary, path: target, bytes: size };
    } catch (error) {
      throw isExisting(error) ? alreadyThere(target, error) : (fileError(error, target) ?? error);
    } finally {
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  });
}

async function reading<Answer>({ db, kind }: LedgerBackend, work: (db: Kysely<Tables>) => Promise<Answer>): Promise<Answer> {
  return db.connection().execute(async (connection) => {
    await sql.raw(BEGIN_READING[kind]).execute(connection);
    try {
      return await work(connection);
    } finally {
      await sql.raw("rollback").execute(connection);
    }
  });
}

async function writeFile(
  db: Kysely<Tables>,
  { kind, uri, now }: LedgerBackend,
  temporary: string,
): Promise<Omit<BackupSummary, "path" | "bytes">> {
  const schema = await versionOf(db, kind, uri);
  if (schema === 0) throw new FreshetError("storage", "there is no ledger to back up", { uri });
  const header = { format: BACKUP_FORMAT, version: BACKUP_VERSION, schema, writtenMs: now() } as const;
  const hash = createHash("sha256");
  let rows = 0;
  async function* lines(): AsyncGenerator<string> {
    const hashed = (page: readonly BackupLine[]): string => {
      const text = page.map((line) => `${JSON.stringify(line)}\n`).join("");
      hash.update(text);
      return text;
    };
    yield hashed([header]);
    for (const [table, columns] of await tableColumns(db, kind)) {
      yield hashed([{ table, columns }]);
      for await (const page of pagesOf(db, table, columns)) {
        rows += page.length;
        yield hashed(page);
      }
    }
    yield `${JSON.stringify({ end: { rows, sha256: hash.digest("hex") } } satisfies BackupLine)}\n`;
  }
  await makeFolder(dirname(temporary));
  await pipeline(Readable.from(lines()), createGzip(), createWriteStream(temporary, { flags: "wx" }));
  const file = await open(temporary, "r+");
  await file.sync().finally(() => file.close());
  return { uri, rows, schema, writtenMs: header.writtenMs };
}

async function* pagesOf(db: Kysely<Tables>, table: LedgerTable, columns: readonly string[]): AsyncGenerator<BackupValue[][]> {
  const key = TABLE_KEYS[table].filter((column) => columns.includes(column));
  const order = sql.join(key.map((column) => sql.ref(column)));
  let last: BackupValue[] | undefined;
  for (;;) {
    const after = last === undefined ? sql`` : sql`where (${order}) > (${sql.join(last)})`;
    const { rows } = await sql<Record<string, BackupValue>>`
      select * from ${sql.table(table)} ${after} order by ${order} limit ${sql.lit(PAGE_ROWS)}`.execute(db);
    const end = rows.at(-1);
    if (end === undefined) return;
    yield rows.map((row) => columns.map((column) => row[column] ?? null));
    if (rows.length < PAGE_ROWS) return;
    last = key.map((column) => end[column] ?? null);
  }
}

async function refuseOverwriting(path: string): Promise<void> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (isThere) throw alreadyThere(path, undefined);
}

function alreadyThere(path: string, cause: unknown): FreshetError {
  return new FreshetError("usage", "the backup's file is there already", {
    path,
    remedy: "Name another one: nothing is overwritten.",
    cause,
  });
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST" && "syscall" in error && error.syscall === "link";
}

function fileError(error: unknown, path: string): FreshetError | undefined {
  if (!(error instanceof Error) || !("syscall" in error) || !("path" in error)) return undefined;
  return new FreshetError("storage", "the backup cannot be written", {
    found: error.message,
    path,
    remedy: "Name a folder with enough space that this user may write to.",
    cause: error,
  });
}
