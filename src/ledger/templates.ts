import type { Transaction } from "kysely";
import type { Template } from "./ledger.ts";
import type { Tables } from "./tables.ts";

/** Makes the candidate the product's template where there is none, and answers the one in force. */
export async function establishTemplate(
  trx: Transaction<Tables>,
  dataset: string,
  product: string,
  candidate: Template,
  nowMs: number,
): Promise<Template> {
  const { key, identity, scan } = candidate;
  await trx
    .insertInto("templates")
    .values({ dataset, product, key, identity, scan_uri: scan.uri, scan_sha256: scan.sha256, at_ms: nowMs })
    .onConflict((conflict) => conflict.columns(["dataset", "product"]).doNothing())
    .execute();
  const row = await trx
    .selectFrom("templates")
    .select(["key", "identity", "scan_uri", "scan_sha256"])
    .where("dataset", "=", dataset)
    .where("product", "=", product)
    .executeTakeFirstOrThrow();
  return { key: row.key, identity: row.identity, scan: { uri: row.scan_uri, sha256: row.scan_sha256 } };
}
