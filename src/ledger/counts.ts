import type { Kysely, Transaction } from "kysely";
import { REVISION_STATES, type RevisionState } from "./revision.ts";
import type { Tables } from "./tables.ts";

/** Adds to the numbers of revisions by state; the caller has the dataset's clock. */
export async function addToCounts(
  trx: Transaction<Tables>,
  dataset: string,
  gained: ReadonlyMap<RevisionState, number>,
): Promise<void> {
  const rows = [...gained].filter(([, count]) => count !== 0).map(([state, count]) => ({ dataset, state, count }));
  if (rows.length === 0) return;
  await trx
    .insertInto("state_counts")
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .columns(["dataset", "state"])
        .doUpdateSet((eb) => ({ count: eb("state_counts.count", "+", eb.ref("excluded.count")) })),
    )
    .execute();
}

export async function selectCounts(db: Kysely<Tables>, dataset: string): Promise<Record<RevisionState, number>> {
  const rows = await db.selectFrom("state_counts").select(["state", "count"]).where("dataset", "=", dataset).execute();
  const found = new Map(rows.map((row) => [row.state, row.count]));
  return Object.fromEntries(REVISION_STATES.map((state) => [state, found.get(state) ?? 0])) as Record<RevisionState, number>;
}
