import type { Transaction } from "kysely";
import type { LedgerKind } from "./backend.ts";
import type { Tables } from "./tables.ts";

/** Runs that somebody has given up. */
export async function migrateTo4(trx: Transaction<Tables>, _kind: LedgerKind): Promise<void> {
  await trx.schema
    .createTable("given_up_runs")
    .addColumn("dataset", "text", (column) => column.notNull())
    .addColumn("run_ms", "bigint", (column) => column.notNull())
    .addColumn("reason", "text", (column) => column.notNull())
    .addColumn("by", "text", (column) => column.notNull())
    .addColumn("leave", "bigint", (column) => column.notNull())
    .addColumn("at_ms", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("given_up_runs_pk", ["dataset", "run_ms"])
    .execute();
}
