import type { Dataset, Product } from "../../dataset/index.ts";
import { groupOfView } from "../../products/index.ts";
import { lookAtProduct } from "../../publication/index.ts";
import { principalArray } from "../principal-array.ts";
import { readingLines } from "../reading-lines.ts";

/**
 * The commands that open a version of a product, with a heading each; none where there is nothing to show.
 * @param version its id; undefined: the published one, by the branch that names it.
 */
export async function openingLines(dataset: Dataset, product: Product, version?: string): Promise<string[]> {
  const state = await lookAtProduct(dataset, product);
  if (state === undefined) return [];
  const { store, prefixes, s3, head } = state;
  const array = await principalArray({ store, head: version ?? head }, product);
  if (array === undefined) return [];
  const { xarray, zarrita } = readingLines({ folder: store.folder, prefixes, s3, array, version });
  return [
    "",
    ...viewLines(product),
    "# in xarray, from the project's folder (docs/reading.md)",
    xarray,
    "",
    "# in zarrita, from the project's folder",
    zarrita,
    "",
  ];
}

/** Views of several groups. */
const EACH: Readonly<Record<string, string>> = {
  run: "/20240901T0600Z (each run)",
  recent: "/20240901T0600Z (each recent valid time)",
};

/** Which groups there are to open. */
function viewLines(product: Product): string[] {
  if (product.kind !== "forecast") return [];
  const groups = product.views.map((view) => `${groupOfView(view).slice(1)}${EACH[view.kind] ?? ""}`);
  return [`# its views are groups: ${groups.join(", ")}`];
}
