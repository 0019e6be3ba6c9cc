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

/** A text that changes when, and only when, slots stand for other instants: the calendar's steps, and whether gaps have slots. */
export function slotMeaning(dataset: Dataset, { calendar }: TimeseriesProduct): string {
  const every = calendar.kind === "fixed" ? `${calendar.everyMs} ms` : `${calendar.months} months`;
  return `every ${every} from ${calendar.anchorMs}${dataset.policies.missing === "omit" ? ", present ones only" : ""}`;
}

/** The product's calendar as arithmetic on instants. */
export function calendarOf({ calendar }: TimeseriesProduct): CalendarArithmetic {
  return {
    isOn: (ms) => isOn(calendar, ms),
    isStep: (ms) => positionOf(calendar, ms, calendar.anchorMs) !== undefined,
    positionOf: (ms, originMs) => positionOf(calendar, ms, originMs) ?? Number.NaN,
    timeAt: (position, originMs) => timeAt(calendar, position, originMs),
  };
}
