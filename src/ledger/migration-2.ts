import { sql, type Transaction } from "kysely";
import type { LedgerKind } from "./backend.ts";
import type { Tables } from "./tables.ts";

/** Columns whose order people see: keys come in the order of their UTF-8 bytes on every database, whatever its locale. */
const ORDERED: Readonly<Record<string, readonly string[]>> = {
  events: ["dataset", "key"],
  revisions: ["dataset", "key"],
  publications: ["dataset", "product"],
  publication_members: ["dataset", "product", "key"],
  dataset_files: ["name"],
  current_datasets: ["name"],
};

/** Epochs, kinds of publications, what became of sources, counts that need no counting. */
export async function migrateTo2(trx: Transaction<Tables>, kind: LedgerKind): Promise<void> {
  await trx.schema.alterTable("revisions").addColumn("epoch", "bigint").execute();
  await trx.schema
    .alterTable("publications")
    .addColumn("kind", "text", (column) => column.notNull().defaultTo("publication"))
    .execute();
  await trx.schema.createIndex("publications_by_sequence").on("publications").columns(["dataset", "sequence"]).execute();
  // With the key in it, SQLite takes it for a publication's members by key, and not the primary key, which has all publications.
  await trx.schema.dropIndex("members_of_publication").execute();
  await trx.schema
    .createIndex("members_by_publication")
    .on("publication_members")
    .columns(["dataset", "product", "sequence", "key", "identity"])
    .execute();
  await templatesByEpoch(trx);
  await trx.schema
    .createTable("source_observations")
    .addColumn("dataset", "text", (column) => column.notNull())
    .addColumn("key", "text", (column) => column.notNull())
    .addColumn("identity", "text", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("found", "text", (column) => column.notNull())
    .addColumn("since_ms", "bigint", (column) => column.notNull())
    .addColumn("observed_ms", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("source_observations_pk", ["dataset", "key", "identity"])
    .execute();
  await sql`
    create index sources_not_in_place on source_observations (dataset, key, identity) where state <> 'back'`.execute(trx);
  await trx.schema
    .createTable("state_counts")
    .addColumn("dataset", "text", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("count", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("state_counts_pk", ["dataset", "state"])
    .execute();
  await sql`insert into state_counts select dataset, state, count(*) from revisions group by dataset, state`.execute(trx);
  if (kind === "postgres") await orderByBytes(trx);
}

/** SQLite cannot change a primary key: the rows move to a new table. */
async function templatesByEpoch(trx: Transaction<Tables>): Promise<void> {
  await trx.schema.alterTable("templates").renameTo("templates_without_epoch").execute();
  await trx.schema
    .createTable("templates")
    .addColumn("dataset", "text", (column) => column.notNull())
    .addColumn("product", "text", (column) => column.notNull())
    .addColumn("epoch", "bigint", (column) => column.notNull())
    .addColumn("key", "text", (column) => column.notNull())
    .addColumn("identity", "text", (column) => column.notNull())
    .addColumn("scan_uri", "text", (column) => column.notNull())
    .addColumn("scan_sha256", "text", (column) => column.notNull())
    .addColumn("at_ms", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("templates_by_epoch_pk", ["dataset", "product", "epoch"])
    .execute();
  await sql`
    insert into templates (dataset, product, epoch, key, identity, scan_uri, scan_sha256, at_ms)
    select dataset, product, 1, key, identity, scan_uri, scan_sha256, at_ms from templates_without_epoch`.execute(trx);
  await trx.schema.dropTable("templates_without_epoch").execute();
}

async function orderByBytes(trx: Transaction<Tables>): Promise<void> {
  const ordered = { ...ORDERED, templates: ["dataset", "product"], source_observations: ["dataset", "key"] };
  for (const [table, columns] of Object.entries(ordered)) {
    for (const column of columns) {
      await sql`alter table ${sql.table(table)} alter column ${sql.ref(column)} type text collate "C"`.execute(trx);
    }
  }
}
