import { type Kysely, sql, type Transaction } from "kysely";
import { FreshetError } from "../errors/index.ts";
import type { LedgerBackend, LedgerKind } from "./backend.ts";
import { migrateTo1 } from "./migration-1.ts";
import { migrateTo2 } from "./migration-2.ts";
import { migrateTo3 } from "./migration-3.ts";
import { migrateTo4 } from "./migration-4.ts";
import { LEDGER_TABLES } from "./table-keys.ts";
import type { Tables } from "./tables.ts";

interface Migration {
  /** 1, 2, 3, …: the version that the ledger has afterwards. */
  readonly version: number;
  readonly name: string;
  readonly up: (trx: Transaction<Tables>, kind: LedgerKind) => Promise<void>;
}

/** In order. One that has been released is never changed: a new one follows. */
const MIGRATIONS: readonly Migration[] = [
  { version: 1, name: "events, revisions, publications, dataset files, templates", up: migrateTo1 },
  { version: 2, name: "epochs, kinds of publications, what became of sources, counts", up: migrateTo2 },
  { version: 3, name: "what sources bring, names that no dataset knows, alarms", up: migrateTo3 },
  { version: 4, name: "runs that are given up", up: migrateTo4 },
];

/** The version that this Freshet writes. */
export const LEDGER_VERSION = MIGRATIONS.length;

/** Any number that nobody else takes: of several processes that migrate a PostgreSQL ledger, one does. */
const MIGRATION_LOCK = 7_364_738_253;

/**
 * The version that the tables have; 0 where there are none yet. Only reads.
 * @throws FreshetError `storage` for tables that are not a ledger's, and for a ledger that a newer Freshet has written.
 */
export async function versionOf(db: Kysely<Tables>, kind: LedgerKind, uri: string): Promise<number> {
  const tables = await tablesThere(db, kind);
  if (tables.length === 0) return 0;
  if (!tables.includes("ledger_schema")) throw notALedger(uri, `table ${tables[0]}`);
  const row = await db
    .selectFrom("ledger_schema")
    .select((eb) => eb.fn.max("version").as("version"))
    .executeTakeFirstOrThrow();
  const version = row.version ?? 0;
  if (version <= LEDGER_VERSION) return version;
  throw new FreshetError("storage", "the ledger was written by a newer Freshet", {
    found: `version ${version}`,
    expected: `version ${LEDGER_VERSION} or older`,
    uri,
    remedy: "Use the Freshet that wrote it, or a newer one, or another ledger.",
  });
}

/**
 * Brings a ledger to a version, all steps in one transaction, and answers the version that it had. Of several processes at
 * once one does it, the others find it done.
 * @throws FreshetError as `versionOf`.
 */
export async function migrate(backend: LedgerBackend, to: number = LEDGER_VERSION): Promise<number> {
  return backend.db.transaction().execute(async (trx) => {
    await lockTables(trx, backend.kind);
    const from = await versionOf(trx, backend.kind, backend.uri);
    await migrateBetween(trx, backend, from, to);
    return from;
  });
}

/** Puts whoever changes tables in one line, until the end of the transaction; what it does may take long. */
export async function lockTables(trx: Transaction<Tables>, kind: LedgerKind): Promise<void> {
  if (kind !== "postgres") return;
  await sql`set local lock_timeout = 0`.execute(trx);
  await sql`set local statement_timeout = 0`.execute(trx);
  await sql`select pg_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)})`.execute(trx);
}

/** The steps after version `from` up to `to` (inclusive). */
export async function migrateBetween(
  trx: Transaction<Tables>,
  { kind, now }: Pick<LedgerBackend, "kind" | "now">,
  from: number,
  to: number,
): Promise<void> {
  await trx.schema
    .createTable("ledger_schema")
    .ifNotExists()
    .addColumn("version", "bigint", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("applied_ms", "bigint", (column) => column.notNull())
    .execute();
  for (const { version, name, up } of MIGRATIONS.slice(from, to)) {
    await up(trx, kind);
    await trx.insertInto("ledger_schema").values({ version, name, applied_ms: now() }).execute();
  }
}

/**
 * Makes a ledger ready for use: an empty database gets its tables, an older SQLite ledger is brought up to date.
 * @throws FreshetError `storage` for an older PostgreSQL ledger, which other machines may be using; otherwise as `versionOf`.
 */
export async function ensureTables(backend: LedgerBackend): Promise<void> {
  const { db, kind, uri } = backend;
  const version = await versionOf(db, kind, uri);
  if (version === LEDGER_VERSION) return;
  if (kind === "postgres" && version > 0) {
    throw new FreshetError("storage", "the ledger is of an older version", {
      found: `version ${version}`,
      expected: `version ${LEDGER_VERSION}`,
      uri,
      remedy: "Stop the workers of the older Freshet, then run: freshet ledger migrate",
    });
  }
  await migrate(backend);
}

/** Names of tables: in an SQLite file all of them, in a PostgreSQL database those of ours that the search path leads to. */
async function tablesThere(db: Kysely<Tables>, kind: LedgerKind): Promise<string[]> {
  const names = ["ledger_schema", ...LEDGER_TABLES];
  const { rows } =
    kind === "sqlite"
      ? await sql<{ name: string }>`select name from sqlite_master where type = 'table' order by name`.execute(db)
      : await sql<{ name: string }>`
          select name from (values ${sql.join(names.map((name) => sql`(${sql.lit(name)})`))}) as ours (name)
          where to_regclass(quote_ident(name)) is not null order by name`.execute(db);
  return rows.map(({ name }) => name);
}

function notALedger(uri: string, found: string): FreshetError {
  return new FreshetError("storage", "the database is not a ledger", {
    found,
    expected: "table ledger_schema",
    uri,
    remedy: "Name another one.",
  });
}
