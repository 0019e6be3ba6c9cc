import type { NameFields } from "../ledger/index.ts";
import type { Dataset } from "./dataset.ts";
import { validTimeOf } from "./name-grammar.ts";

/**
 * When a granule of a dataset is valid by its name, milliseconds since 1970: as its fields `valid`, `run` and `lead` say, or else by the
 * field that a collection goes by. Undefined where the name does not say.
 */
export function granuleTimeOf({ runs, products }: Pick<Dataset, "runs" | "products">, fields: NameFields): number | undefined {
  const validMs = validTimeOf(fields, runs);
  if (validMs !== undefined) return validMs;
  for (const product of products) {
    if (product.kind !== "collection" || product.along === "coordinate") continue;
    const time = fields[product.time];
    if (typeof time === "number") return time;
  }
  return undefined;
}
