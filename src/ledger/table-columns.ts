import { type Kysely, sql } from "kysely";
import type { LedgerKind } from "./backend.ts";
import { LEDGER_TABLES, type LedgerTable } from "./table-keys.ts";
import type { Tables } from "./tables.ts";

/** The columns of those of the ledger's tables that are there, in their order; on PostgreSQL, of those on the search path. */
export async function tableColumns(db: Kysely<Tables>, kind: LedgerKind): Promise<ReadonlyMap<LedgerTable, readonly string[]>> {
  const found = new Map<LedgerTable, readonly string[]>();
  for (const table of LEDGER_TABLES) {
    const { rows } =
      kind === "sqlite"
        ? await sql<{ name: string }>`select name from pragma_table_info(${table}) order by cid`.execute(db)
        : await sql<{ name: string }>`
            select attname as name from pg_attribute
            where attrelid = to_regclass(${table}) and attnum > 0 and not attisdropped order by attnum`.execute(db);
    if (rows.length > 0)
      found.set(
        table,
        rows.map(({ name }) => name),
      );
  }
  return found;
}
