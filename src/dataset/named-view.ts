import type { ForecastView, Product } from "./dataset.ts";
import { parseDuration } from "./duration.ts";

/** The view of a product that a form names by its group: `best`, `offset/6h`. Undefined where there is no such one, or it is many groups. */
export function namedView(product: Product, name: string): ForecastView | undefined {
  if (product.kind !== "forecast") return undefined;
  const [kind, lead] = name.split("/");
  return product.views.find((view) => {
    if (!isOneDataset(view) || view.kind !== kind) return false;
    return view.kind === "offset" ? lead !== undefined && parseDuration(lead) === view.leadMs : lead === undefined;
  });
}

/** Which views of a product a form may name, in words. */
export function describeViews(product: Product): string {
  const kinds = product.kind === "forecast" ? product.views.filter(isOneDataset).map(({ kind }) => kind) : [];
  if (kinds.length === 0) return "it has none that is one dataset";
  return [...new Set(kinds)].map((kind) => (kind === "offset" ? "offset/LEAD" : kind)).join(", ");
}

function isOneDataset({ kind }: ForecastView): boolean {
  return ["fmrc", "best", "whole", "latest", "offset"].includes(kind);
}
