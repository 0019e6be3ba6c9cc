export { compareSchemas, type Drift, describeDrifts, type GranuleSchema, schemaOf } from "./granule-schema.ts";
export { type GranuleShape, shapeGranule, shapeTemplate } from "./granule-shape.ts";
export {
  differenceOf,
  EMPTY_LAYOUT,
  granulesOf,
  type Layout,
  type LayoutDifference,
  type LayoutRow,
  layoutHash,
  PAGE_ROWS,
  pageOf,
  pagesOf,
  standingIn,
} from "./layout.ts";
export type { PlacedGranule } from "./placed-granule.ts";
export {
  type Arrival,
  type CalendarArithmetic,
  misfit,
  type Placement,
  type PlacementRules,
  placeArrivals,
} from "./placement.ts";
export { calendarOf, calendarSteps, placementRules } from "./placement-rules.ts";
export { requirePublishable } from "./publishable.ts";
export { readStoredState, type StateHeader, type StoredState } from "./stored-state.ts";
export { timeseriesChange } from "./timeseries-change.ts";
