import { datesOf, fromReal, type Product, stepAtOrAfter } from "../dataset/index.ts";
import { ForecastCells } from "./forecast-cells.ts";

/**
 * Where what stays in a product begins: granules before this place expire. Undefined where everything stays. Of a forecast it is the first
 * place of a run, so that a run expires as a whole.
 * @param places of the granules that stand; of those of several steps, the first one's. In any order.
 */
export function firstKept(product: Product, places: Iterable<number>, nowMs: number): number | undefined {
  const { keep } = product;
  if (keep === undefined) return undefined;
  const { newest, forMs } = keep;
  const fronts: number[] = [];
  if (forMs !== undefined) fronts.push(placeAt(product, nowMs - forMs));
  if (newest !== undefined) {
    const cells = product.kind === "forecast" ? ForecastCells.of(product.runs) : undefined;
    const counted = new Set<number>();
    for (const place of places) counted.add(cells === undefined ? place : cells.beginOfRun(place));
    if (counted.size < newest) return undefined;
    fronts.push([...counted].sort((a, b) => b - a)[newest - 1] as number);
  }
  // What one rule keeps stays.
  return fronts.length === 0 ? undefined : Math.min(...fronts);
}

/** The place of the first run, or the instant itself. */
function placeAt(product: Product, ms: number): number {
  if (product.kind !== "forecast") return fromReal(datesOf(product), ms) ?? ms;
  const { cycle } = product.runs;
  return ForecastCells.of(product.runs).placeOfRun(stepAtOrAfter(cycle, ms)) ?? Number.NEGATIVE_INFINITY;
}
