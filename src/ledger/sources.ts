import { type Kysely, sql, type Transaction } from "kysely";
import { FreshetError } from "../errors/index.ts";
import { DatasetWriter } from "./dataset-writer.ts";
import type { MissingSource, SourceObservation } from "./ledger.ts";
import type { RevisionId } from "./revision.ts";
import type { Tables } from "./tables.ts";

/** Keeps the observation unless a newer one is on record; see `Ledger.noteSource`. */
export async function noteSource(
  trx: Transaction<Tables>,
  { dataset, key, identity }: RevisionId,
  { state, found, atMs }: SourceObservation,
  nowMs: number,
): Promise<void> {
  const writer = await DatasetWriter.begin(trx, dataset, nowMs);
  await writer.load([key]);
  if (writer.revision({ key, identity }) === undefined) {
    throw new FreshetError("conflict", "nobody has heard of the revision whose source was looked at", {
      found: `${key} (${identity})`,
      path: dataset,
      remedy: "Announce the granule first (freshet ingest).",
    });
  }
  await trx
    .insertInto("source_observations")
    .values({ dataset, key, identity, state, found, since_ms: writer.atMs, observed_ms: atMs })
    .onConflict((conflict) =>
      conflict
        .columns(["dataset", "key", "identity"])
        .doUpdateSet((eb) => ({
          state,
          found,
          since_ms: eb
            .case()
            .when("source_observations.state", "=", state)
            .then(eb.ref("source_observations.since_ms"))
            .else(eb.ref("excluded.since_ms"))
            .end(),
          observed_ms: atMs,
        }))
        .where("source_observations.observed_ms", "<", atMs),
    )
    .execute();
}

/** By key. */
export async function selectMissingSources(db: Kysely<Tables>, dataset: string): Promise<MissingSource[]> {
  const rows = await db
    .selectFrom("source_observations")
    .select(["key", "identity", "state", "found", "since_ms as sinceMs"])
    .where("dataset", "=", dataset)
    // As the partial index says it, so that the index is taken.
    .where(sql<boolean>`state <> 'back'`)
    .orderBy("key")
    .orderBy("identity")
    .execute();
  return rows.map(({ state, ...row }) => ({ ...row, state: state === "gone" ? "gone" : "changed" }));
}
