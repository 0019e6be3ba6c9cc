import type { Transaction } from "kysely";
import type { Tables } from "./tables.ts";

/** Events, revisions, publications, dataset files, templates. */
export async function migrateTo1(trx: Transaction<Tables>): Promise<void> {
  await trx.schema
    .createTable("dataset_clocks")
    .addColumn("dataset", "text", (column) => column.primaryKey())
    .addColumn("last_seq", "bigint", (column) => column.notNull())
    .addColumn("last_ms", "bigint", (column) => column.notNull())
    .execute();
  await trx.schema
    .createTable("events")
    .addColumn("dataset", "text", (column) => column.notNull())
    .addColumn("seq", "bigint", (column) => column.notNull())
    .addColumn("key", "text", (column) => column.notNull())
    .addColumn("identity", "text", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("reason", "text", (column) => column.notNull())
    .addColumn("at_ms", "bigint", (column) => column.notNull())
    .addColumn("facts", "text", (column) => column.notNull())
    .addColumn("detail", "text", (column) => column.notNull())
    .addColumn("digest", "text", (column) => column.notNull())
    .addColumn("once", "text")
    .addColumn("product", "text")
    .addColumn("sequence", "bigint")
    .addPrimaryKeyConstraint("events_pk", ["dataset", "seq"])
    .execute();
  await trx.schema.createIndex("events_of_granule").on("events").columns(["dataset", "key", "seq"]).execute();
  await trx.schema
    .createTable("revisions")
    .addColumn("dataset", "text", (column) => column.notNull())
    .addColumn("key", "text", (column) => column.notNull())
    .addColumn("identity", "text", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("reason", "text", (column) => column.notNull())
    .addColumn("uri", "text")
    .addColumn("size", "bigint")
    .addColumn("etag", "text")
    .addColumn("last_modified_ms", "bigint")
    .addColumn("fields", "text")
    .addColumn("scan_uri", "text")
    .addColumn("scan_sha256", "text")
    .addColumn("heard_ms", "bigint", (column) => column.notNull())
    .addColumn("heard_seq", "bigint", (column) => column.notNull())
    .addColumn("changed_ms", "bigint", (column) => column.notNull())
    .addColumn("changed_seq", "bigint", (column) => column.notNull())
    .addColumn("published_product", "text")
    .addColumn("published_sequence", "bigint")
    .addPrimaryKeyConstraint("revisions_pk", ["dataset", "key", "identity"])
    .execute();
  await trx.schema.createIndex("revisions_by_change").on("revisions").columns(["dataset", "state", "changed_seq"]).execute();
  await trx.schema.createIndex("revisions_by_state").on("revisions").columns(["dataset", "state", "key"]).execute();
  await trx.schema
    .createTable("publications")
    .addColumn("dataset", "text", (column) => column.notNull())
    .addColumn("product", "text", (column) => column.notNull())
    .addColumn("sequence", "bigint", (column) => column.notNull())
    .addColumn("snapshot", "text", (column) => column.notNull())
    .addColumn("parent", "text")
    .addColumn("layout_hash", "text", (column) => column.notNull())
    .addColumn("at_ms", "bigint", (column) => column.notNull())
    .addColumn("granules", "bigint", (column) => column.notNull())
    .addColumn("message", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("publications_pk", ["dataset", "product", "sequence"])
    .execute();
  await trx.schema
    .createTable("publication_members")
    .addColumn("dataset", "text", (column) => column.notNull())
    .addColumn("product", "text", (column) => column.notNull())
    .addColumn("key", "text", (column) => column.notNull())
    .addColumn("sequence", "bigint", (column) => column.notNull())
    .addColumn("identity", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("publication_members_pk", ["dataset", "product", "key", "sequence", "identity"])
    .execute();
  await trx.schema
    .createIndex("members_of_publication")
    .on("publication_members")
    .columns(["dataset", "product", "sequence"])
    .execute();
  await trx.schema
    .createTable("dataset_files")
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("hash", "text", (column) => column.notNull())
    .addColumn("text", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("dataset_files_pk", ["name", "hash"])
    .execute();
  await trx.schema
    .createTable("current_datasets")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("hash", "text", (column) => column.notNull())
    .addColumn("applied_ms", "bigint", (column) => column.notNull())
    .execute();
  await trx.schema
    .createTable("templates")
    .addColumn("dataset", "text", (column) => column.notNull())
    .addColumn("product", "text", (column) => column.notNull())
    .addColumn("key", "text", (column) => column.notNull())
    .addColumn("identity", "text", (column) => column.notNull())
    .addColumn("scan_uri", "text", (column) => column.notNull())
    .addColumn("scan_sha256", "text", (column) => column.notNull())
    .addColumn("at_ms", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("templates_pk", ["dataset", "product"])
    .execute();
}
