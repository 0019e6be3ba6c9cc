import { checkProduct } from "../check-product.ts";
import type { Findings, ReconcileContext } from "./context.ts";

/** What each product shows, against what the ledger calls published. */
export async function againstStores(context: ReconcileContext, findings: Findings): Promise<void> {
  const { dataset, ledger, scans, signal, onProgress } = context;
  for (const product of dataset.products) {
    const asked = { chunks: 0, sources: 0, signal, tick: onProgress };
    const { compared, disagreements } = await checkProduct(dataset, product, { ledger, scans }, asked);
    for (const { subject, count } of compared) if (subject === "layout") findings.compared += count;
    for (const { where, found, expected, remedy } of disagreements) {
      const wanted = `${expected}. If a publication does not settle it: ${remedy.replaceAll("DATASET", dataset.name)}`;
      findings.published({ kind: "orphaned", where: `${product.name}: ${where}`, found, expected: wanted });
    }
  }
}
