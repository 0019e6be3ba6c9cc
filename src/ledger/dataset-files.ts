import type { Kysely, Transaction } from "kysely";
import type { StoredDataset } from "./ledger.ts";
import type { Tables } from "./tables.ts";

interface DatasetFile {
  readonly name: string;
  readonly hash: string;
  readonly text: string;
}

/** Keeps the text by its hash. */
export async function keepDatasetFile(trx: Transaction<Tables>, { name, hash, text }: DatasetFile): Promise<void> {
  await trx
    .insertInto("dataset_files")
    .values({ name, hash, text })
    .onConflict((conflict) => conflict.columns(["name", "hash"]).doNothing())
    .execute();
}

/** Keeps the text by its hash and makes it the current one. False if it was already. */
export async function putDatasetFile(trx: Transaction<Tables>, file: DatasetFile, nowMs: number): Promise<boolean> {
  const { name, hash } = file;
  await keepDatasetFile(trx, file);
  const changed = await trx
    .insertInto("current_datasets")
    .values({ name, hash, applied_ms: nowMs })
    .onConflict((conflict) =>
      conflict.column("name").doUpdateSet({ hash, applied_ms: nowMs }).where("current_datasets.hash", "!=", hash),
    )
    .returning("name")
    .execute();
  return changed.length > 0;
}

/** The current files by name, or the one of a name. */
export async function selectCurrentDatasets(db: Kysely<Tables>, name?: string): Promise<StoredDataset[]> {
  let query = db
    .selectFrom("current_datasets as current")
    .innerJoin("dataset_files as file", (join) =>
      join.onRef("file.name", "=", "current.name").onRef("file.hash", "=", "current.hash"),
    )
    .select(["file.name", "file.hash", "file.text", "current.applied_ms as appliedMs"])
    .orderBy("file.name");
  if (name !== undefined) query = query.where("file.name", "=", name);
  return (await query.execute()).map(({ name: of, hash, text, appliedMs }) => ({ name: of, hash, text, appliedMs }));
}

/** The canonical text of one revision of a dataset file. */
export async function selectDatasetText(db: Kysely<Tables>, name: string, hash: string): Promise<string | undefined> {
  const row = await db
    .selectFrom("dataset_files")
    .select("text")
    .where("name", "=", name)
    .where("hash", "=", hash)
    .executeTakeFirst();
  return row?.text;
}
