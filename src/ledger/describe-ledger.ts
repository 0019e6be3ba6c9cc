import { sql } from "kysely";
import type { LedgerBackend, LedgerKind } from "./backend.ts";
import { LEDGER_VERSION, migrate, versionOf } from "./migrations.ts";
import { closeBackend, type OpenOptions, openBackend } from "./open-ledger.ts";
import { REVISION_STATES, type RevisionState } from "./revision.ts";
import { LEDGER_TABLES } from "./table-keys.ts";

/** A ledger seen from outside. */
export interface LedgerDescription {
  readonly uri: string;
  readonly kind: LedgerKind;
  /** Of its tables; 0 where there are none. */
  readonly version: number;
  /** The version that this Freshet writes. */
  readonly newestVersion: number;
  /** What it takes on disk, indexes included. */
  readonly bytes: number;
  /** Every dataset that has a revision, by name. */
  readonly datasets: readonly {
    readonly name: string;
    /** Events ever recorded. */
    readonly events: number;
    /** Revisions by state; states without any are 0. */
    readonly revisions: Readonly<Record<RevisionState, number>>;
  }[];
}

/** What a migration did, or would do. */
export interface LedgerMigration {
  readonly uri: string;
  /** The version before; 0 for an empty database. */
  readonly from: number;
  readonly to: number;
}

/** Looks at a ledger of any version, and changes nothing. @throws FreshetError as `openLedger`; `storage` where there is none. */
export function describeLedger(url: string): Promise<LedgerDescription> {
  return withBackend(url, { mustExist: true }, async (backend) => {
    const { db, kind, uri } = backend;
    const version = await versionOf(db, kind, uri);
    const bytes = await sizeOf(backend);
    const base = { uri, kind, version, newestVersion: LEDGER_VERSION, bytes };
    if (version === 0) return { ...base, datasets: [] };
    const clocks = await db.selectFrom("dataset_clocks").selectAll().orderBy("dataset").execute();
    // Counted, and not taken from the table of counts: an older ledger has none.
    const counts = await db
      .selectFrom("revisions")
      .select(["dataset", "state", (eb) => eb.fn.countAll<number>().as("count")])
      .groupBy(["dataset", "state"])
      .execute();
    const datasets = clocks.map(({ dataset, last_seq }) => {
      const found = new Map(counts.filter((row) => row.dataset === dataset).map(({ state, count }) => [state, count]));
      const revisions = Object.fromEntries(REVISION_STATES.map((state) => [state, found.get(state) ?? 0]));
      return { name: dataset, events: last_seq, revisions: revisions as Record<RevisionState, number> };
    });
    return { ...base, datasets };
  });
}

/**
 * Brings a ledger up to date, in one transaction; an empty database gets its tables. With `dryRun` it only looks.
 * @throws FreshetError as `openLedger`; `storage` where there is no SQLite file.
 */
export function migrateLedger(url: string, options: OpenOptions & { readonly dryRun?: boolean } = {}): Promise<LedgerMigration> {
  return withBackend(url, { now: options.now, mustExist: true }, async (backend) => {
    const { db, kind, uri } = backend;
    const from = options.dryRun === true ? await versionOf(db, kind, uri) : await migrate(backend);
    return { uri, from, to: LEDGER_VERSION };
  });
}

/** Runs `work` with the database at a ledger's url, and closes it. Its driver's errors come out as FreshetErrors. */
export async function withBackend<Answer>(
  url: string,
  options: OpenOptions & { readonly mustExist?: boolean },
  work: (backend: LedgerBackend) => Promise<Answer>,
): Promise<Answer> {
  const backend = await openBackend(url, options);
  try {
    return await work(backend);
  } catch (error) {
    throw backend.translate(error) ?? error;
  } finally {
    await closeBackend(backend);
  }
}

async function sizeOf({ db, kind }: LedgerBackend): Promise<number> {
  const { rows } =
    kind === "sqlite"
      ? await sql<{ bytes: number }>`select page_count * page_size as bytes from pragma_page_count(), pragma_page_size()`.execute(
          db,
        )
      : await sql<{ bytes: number | null }>`
          select sum(pg_total_relation_size(to_regclass(name)))::bigint as bytes
          from (values ${sql.join(LEDGER_TABLES.map((name) => sql`(${sql.lit(name)})`))}) as ours (name)`.execute(db);
  return rows[0]?.bytes ?? 0;
}
