import type { Product } from "../dataset/index.ts";
import { groupOfView } from "../products/index.ts";
import type { ProductState } from "../publication/index.ts";

interface ArrayFacts {
  readonly path: string;
  readonly elements: number;
}

/**
 * The array that people most likely want to see: the largest of those that grow, of a forecast in the first view that its dataset file
 * names; of several the first by name. Undefined where none does.
 */
export async function principalArray(state: Pick<ProductState, "store" | "head">, product: Product): Promise<string | undefined> {
  if (product.kind === "collection" && product.along === "none") return largestAlong(state, undefined, "");
  if (product.kind !== "forecast") return largestAlong(state, product.dimension, "");
  for (const view of product.views) {
    const isByRun = ["fmrc", "valid", "recent"].includes(view.kind);
    const found = await largestAlong(state, isByRun ? "run" : product.dimension, groupOfView(view).slice(1));
    if (found !== undefined) return found;
  }
  return undefined;
}

async function largestAlong(
  { store, head }: Pick<ProductState, "store" | "head">,
  /** The first one of the array; undefined: any. */
  dimension: string | undefined,
  under: string,
): Promise<string | undefined> {
  const reader = await store.reader(head);
  const found: ArrayFacts[] = [];
  const visit = async (folder: string): Promise<void> => {
    for (const name of (await reader.listDir(folder === "" ? "" : `${folder}/`))
      .map((entry) => entry.replace(/\/$/, ""))
      .sort()) {
      // Names that begin with an underscore are Freshet's own.
      if (name === "zarr.json" || name.startsWith("_")) continue;
      const path = folder === "" ? name : `${folder}/${name}`;
      const bytes = await reader.get(`${path}/zarr.json`);
      if (bytes === null) continue;
      const node = JSON.parse(Buffer.from(bytes).toString("utf8")) as {
        readonly node_type: string;
        readonly shape?: readonly number[];
        readonly dimension_names?: readonly (string | null)[];
      };
      if (node.node_type === "group") await visit(path);
      else if (dimension === undefined || node.dimension_names?.[0] === dimension) {
        found.push({ path: `/${path}`, elements: (node.shape ?? []).reduce((product, length) => product * length, 1) });
      }
    }
  };
  await visit(under);
  const most = Math.max(0, ...found.map(({ elements }) => elements));
  return found.find(({ elements }) => elements === most)?.path;
}
