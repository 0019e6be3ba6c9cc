import type { OperationResult, Upkeep } from "../contract/index.ts";
import type { Request } from "./operator.ts";
import type { TurnParts } from "./turn-maker.ts";

/** Removes from the stores of a dataset what nobody needs any more, by the rules of its file. */
export async function tidyStores(
  { stores }: TurnParts,
  { dataset, tick }: Request,
  { product: only, dryRun = false }: Upkeep,
): Promise<OperationResult[]> {
  const results: OperationResult[] = [];
  for (const product of dataset.products) {
    if (only !== undefined && only !== product.name) continue;
    tick(`tidying ${product.name}`);
    const { head, stored } = await stores.open(dataset, product);
    results.push({
      product: product.name,
      kind: "upkeep",
      version: head,
      sequence: stored?.header.sequence ?? 0,
      granules: 0,
      changed: 0,
      isPublished: false,
      notes: [String(dryRun)],
    });
  }
  return results;
}
