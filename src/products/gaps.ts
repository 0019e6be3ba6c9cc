import type { Product } from "../dataset/index.ts";
import { rowPlace } from "./layout.ts";
import { calendarOf } from "./placement-rules.ts";
import type { StoredEpoch } from "./stored-state.ts";

/** Instants of the calendar, or cells of a forecast, for which no epoch has a granule, between the first and the last that has one; ascending. */
export function gapsOf(product: Product, epochs: readonly StoredEpoch[]): number[] {
  const calendar = calendarOf(product);
  const filled = new Set<number>();
  for (const { layout } of epochs) for (const [, row] of layout.rows()) filled.add(rowPlace(row));
  const gaps = new Set<number>();
  for (const { header, layout } of epochs) {
    for (let slot = 0; slot < layout.slots; slot++) {
      if (layout.at(slot) !== null) continue;
      const ms = calendar.timeAt(slot * header.steps, layout.originMs ?? 0);
      if (!filled.has(ms)) gaps.add(ms);
    }
  }
  return [...gaps].sort((a, b) => a - b);
}
