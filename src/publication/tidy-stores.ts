import type { OperationResult, Upkeep } from "../contract/index.ts";
import { reached } from "../steps/index.ts";
import type { Request } from "./operation-request.ts";
import type { TurnParts } from "./turn-maker.ts";

/** Removes from the stores of a dataset what nobody needs any more, by the rules of its file. */
export async function tidyStores(
  { stores, ledger }: TurnParts,
  { dataset, tick }: Request,
  { product: only, dryRun = false }: Upkeep,
): Promise<OperationResult[]> {
  const { keep, graceMs } = dataset.maintenance;
  const retain = keep === undefined ? { newest: Number.MAX_SAFE_INTEGER } : { newest: keep.versions, youngerThanMs: keep.forMs };
  const results: OperationResult[] = [];
  for (const product of dataset.products) {
    if (only !== undefined && only !== product.name) continue;
    const { store, head, stored } = await stores.open(dataset, product);
    const [published] = await ledger.publications(dataset.name, product.name, 1);
    let removed = 0;
    const report = await store.upkeep({
      retain,
      graceMs,
      dryRun,
      ...(published === undefined ? {} : { published: published.snapshot }),
      tick: () => tick(`looking through ${product.name}`),
      onRemove: () => tick(`${product.name}: ${++removed} objects removed`),
    });
    const notes = Object.entries(report.kinds)
      .filter(([, { removed: gone }]) => gone.count > 0)
      .map(
        ([kind, { removed: gone }]) => `${gone.count} ${kind} objects, ${gone.bytes} bytes${dryRun ? ", would be" : ""} removed`,
      );
    notes.push(
      `${report.before.bytes} bytes before, ${report.before.bytes - report.removed.bytes} after; ${report.versions.retained} versions readable, ${report.versions.expired} expired`,
    );
    results.push({
      product: product.name,
      kind: "upkeep",
      version: head,
      sequence: stored?.header.sequence ?? 0,
      granules: 0,
      changed: report.removed.count,
      isPublished: false,
      notes,
    });
  }
  reached("upkeep: before the record");
  return results;
}
