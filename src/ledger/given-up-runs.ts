import type { Kysely, Transaction } from "kysely";
import type { GivenUpRun } from "./ledger.ts";
import type { Tables } from "./tables.ts";

/** Notes that a run is given up, where nobody has said so before; see `Ledger.giveUpRun`. */
export async function giveUpRun(
  trx: Transaction<Tables>,
  dataset: string,
  { runMs, reason, by, leave }: Omit<GivenUpRun, "atMs">,
  nowMs: number,
): Promise<void> {
  await trx
    .insertInto("given_up_runs")
    .values({ dataset, run_ms: runMs, reason, by, leave: leave ? 1 : 0, at_ms: nowMs })
    .onConflict((conflict) => conflict.columns(["dataset", "run_ms"]).doNothing())
    .execute();
}

/** By run. */
export async function selectGivenUpRuns(db: Kysely<Tables>, dataset: string): Promise<GivenUpRun[]> {
  const rows = await db.selectFrom("given_up_runs").selectAll().where("dataset", "=", dataset).orderBy("run_ms").execute();
  return rows.map(({ run_ms: runMs, reason, by, leave, at_ms: atMs }) => ({ runMs, reason, by, leave: leave === 1, atMs }));
}
