import type { Kysely, Selectable, Transaction } from "kysely";
import type { Member, Template } from "./ledger.ts";
import type { ScanReference } from "./revision.ts";
import type { Tables, TemplateTable } from "./tables.ts";

/** Makes the candidate the template of the product's epoch where there is none, and answers the one in force. */
export async function establishTemplate(
  trx: Transaction<Tables>,
  of: { readonly dataset: string; readonly product: string; readonly epoch: number },
  { key, identity, scan }: Member & { readonly scan: ScanReference },
  nowMs: number,
): Promise<Template> {
  await trx
    .insertInto("templates")
    .values({ ...of, key, identity, scan_uri: scan.uri, scan_sha256: scan.sha256, at_ms: nowMs })
    .onConflict((conflict) => conflict.columns(["dataset", "product", "epoch"]).doNothing())
    .execute();
  const row = await trx
    .selectFrom("templates")
    .selectAll()
    .where("dataset", "=", of.dataset)
    .where("product", "=", of.product)
    .where("epoch", "=", of.epoch)
    .executeTakeFirstOrThrow();
  return templateOfRow(row);
}

/** By product and epoch. */
export async function selectTemplates(db: Kysely<Tables>, dataset: string): Promise<Template[]> {
  const rows = await db
    .selectFrom("templates")
    .selectAll()
    .where("dataset", "=", dataset)
    .orderBy("product")
    .orderBy("epoch")
    .execute();
  return rows.map(templateOfRow);
}

function templateOfRow(row: Selectable<TemplateTable>): Template {
  const { product, epoch, key, identity } = row;
  return { product, epoch, key, identity, scan: { uri: row.scan_uri, sha256: row.scan_sha256 } };
}
