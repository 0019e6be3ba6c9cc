import { type Dataset, isOn, positionOf, type TimeseriesProduct, timeAt } from "../dataset/index.ts";
import type { CalendarArithmetic, PlacementRules } from "./placement.ts";

/** The rules by which a product gives granules of `steps` steps their places. */
export function placementRules(dataset: Dataset, product: TimeseriesProduct, steps: number): PlacementRules {
  return {
    calendar: calendarOf(product),
    missing: dataset.policies.missing,
    fromMs: product.calendar.fromMs,
    anchorMs: product.calendar.fromMs ?? product.calendar.anchorMs,
    steps,
  };
}

/** The product's calendar as arithmetic on instants. */
export function calendarOf({ calendar }: TimeseriesProduct): CalendarArithmetic {
  return {
    isOn: (ms) => isOn(calendar, ms),
    positionOf: (ms, originMs) => positionOf(calendar, ms, originMs) ?? Number.NaN,
    timeAt: (position, originMs) => timeAt(calendar, position, originMs),
  };
}
