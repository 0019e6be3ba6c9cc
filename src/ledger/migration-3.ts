import type { Transaction } from "kysely";
import type { LedgerKind } from "./backend.ts";
import type { Tables } from "./tables.ts";

/** What sources bring, names that no dataset knows, and alarms. */
export async function migrateTo3(trx: Transaction<Tables>, _kind: LedgerKind): Promise<void> {
  await trx.schema
    .createTable("traffic")
    .addColumn("source", "text", (column) => column.notNull())
    .addColumn("via", "text", (column) => column.notNull())
    .addColumn("matched", "bigint", (column) => column.notNull())
    .addColumn("unmatched", "bigint", (column) => column.notNull())
    .addColumn("passed_over", "bigint", (column) => column.notNull())
    .addColumn("malformed", "bigint", (column) => column.notNull())
    .addColumn("matched_ms", "bigint", (column) => column.notNull())
    .addColumn("unmatched_ms", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("traffic_pk", ["source", "via"])
    .execute();
  await trx.schema
    .createTable("unmatched_names")
    .addColumn("source", "text", (column) => column.notNull())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("via", "text", (column) => column.notNull())
    .addColumn("reason", "text", (column) => column.notNull())
    .addColumn("count", "bigint", (column) => column.notNull())
    .addColumn("first_ms", "bigint", (column) => column.notNull())
    .addColumn("last_ms", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("unmatched_names_pk", ["source", "name"])
    .execute();
  await trx.schema.createIndex("unmatched_by_time").on("unmatched_names").columns(["source", "last_ms"]).execute();
  await trx.schema
    .createTable("alarms")
    .addColumn("dataset", "text", (column) => column.notNull())
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("subject", "text", (column) => column.notNull())
    .addColumn("raised_ms", "bigint", (column) => column.notNull())
    .addColumn("text", "text", (column) => column.notNull())
    .addColumn("since_ms", "bigint", (column) => column.notNull())
    .addColumn("ended_ms", "bigint")
    .addPrimaryKeyConstraint("alarms_pk", ["dataset", "kind", "subject", "raised_ms"])
    .execute();
}
