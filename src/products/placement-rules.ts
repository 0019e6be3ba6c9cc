import { type CollectionProduct, type Dataset, isOn, type Product, positionOf, timeAt } from "../dataset/index.ts";
import { describeLead } from "./describe-lead.ts";
import { ForecastCells } from "./forecast-cells.ts";
import { instant } from "./granule-shape.ts";
import type { CalendarArithmetic, PlacementRules } from "./placement.ts";

/** The rules by which a product gives granules of `steps` steps their places. */
export function placementRules(dataset: Dataset, product: Product, steps: number): PlacementRules {
  const calendar = calendarOf(product);
  if (product.kind === "forecast") return { calendar, missing: "gap", fromMs: undefined, anchorMs: 0, steps };
  if (product.kind === "collection") return { calendar, missing: "omit", fromMs: undefined, anchorMs: 0, steps };
  return {
    calendar,
    missing: dataset.policies.missing,
    fromMs: product.calendar.fromMs,
    anchorMs: product.calendar.fromMs ?? product.calendar.anchorMs,
    steps,
  };
}

/** A text that changes when, and only when, slots stand for something else: other instants or cells, and whether gaps have slots. */
export function slotMeaning(dataset: Dataset, product: Product): string {
  if (product.kind === "forecast") return ForecastCells.of(product.runs).meaning;
  if (product.kind === "collection") return collectionMeaning(product);
  const { calendar } = product;
  const every = calendar.kind === "fixed" ? `${calendar.everyMs} ms` : `${calendar.months} months`;
  return `every ${every} from ${calendar.anchorMs}${calendar.dates === undefined ? "" : ` in dates of ${calendar.dates}`}${dataset.policies.missing === "omit" ? ", present ones only" : ""}`;
}

/** What the product's slots stand for, as arithmetic: on instants, or, of a forecast, on the places of cells. */
export function calendarOf(product: Product): CalendarArithmetic {
  if (product.kind === "forecast") return arithmeticOf(ForecastCells.of(product.runs));
  if (product.kind === "collection") return ANY_INSTANT;
  const { calendar } = product;
  return {
    describe: (ms) => `valid ${instant(ms, calendar.dates)}`,
    isOn: (ms) => isOn(calendar, ms),
    isStep: (ms) => positionOf(calendar, ms, calendar.anchorMs) !== undefined,
    positionOf: (ms, originMs) => positionOf(calendar, ms, originMs) ?? Number.NaN,
    timeAt: (position, originMs) => timeAt(calendar, position, originMs),
    beginOf: (ms) => ms,
  };
}

function collectionMeaning(product: CollectionProduct): string {
  switch (product.along) {
    case "coordinate":
      return `along ${product.axis}, ascending`;
    case "granule":
      return `granules by ${product.order.join(", ")}`;
    case "none":
      return `the newest granule by ${product.newest}`;
  }
}

/** Where no calendar says which instants there are: all have a place, and none is so many steps from another. */
const ANY_INSTANT: CalendarArithmetic = {
  describe: (ms) => `valid ${instant(ms)}`,
  isOn: Number.isFinite,
  isStep: Number.isFinite,
  positionOf: () => Number.NaN,
  timeAt: () => Number.NaN,
  beginOf: (ms) => ms,
};

/** Places are whole numbers, one after the other. */
function arithmeticOf(cells: ForecastCells): CalendarArithmetic {
  return {
    describe: (place) => {
      const { runMs, leadMs, isNowcast } = cells.at(place);
      return `run ${instant(runMs)}, ${isNowcast ? "nowcast" : "lead"} ${describeLead(leadMs)}`;
    },
    isOn: Number.isSafeInteger,
    isStep: Number.isSafeInteger,
    positionOf: (place, origin) => place - origin,
    timeAt: (position, origin) => origin + position,
    beginOf: (place) => cells.beginOfRun(place),
  };
}
