export { alongGrid } from "./array-change.ts";
export { decodeTime } from "./cf-time.ts";
export { epochChange, showing, stateChange } from "./epoch-change.ts";
export { gapsOf } from "./gaps.ts";
export { compareSchemas, type Drift, describeDrifts, type GranuleSchema, schemaOf } from "./granule-schema.ts";
export { type GranuleShape, shapeGranule, shapeTemplate } from "./granule-shape.ts";
export { differenceOf, Layout, type LayoutDifference, type LayoutRow, type SlotChange } from "./layout.ts";
export type { PlacedGranule, Shown } from "./placed-granule.ts";
export {
  type Arrival,
  type CalendarArithmetic,
  misfitOfSteps,
  type Placement,
  type PlacementRules,
  placeArrivals,
  type ReadyArrival,
} from "./placement.ts";
export { calendarOf, placementRules, slotMeaning } from "./placement-rules.ts";
export { requirePublishable } from "./publishable.ts";
export {
  type EpochHeader,
  epochGroup,
  granulesIn,
  type Hold,
  type PublicationKind,
  productHash,
  readStoredState,
  type StateHeader,
  type StoredEpoch,
  type StoredState,
  standingRow,
} from "./stored-state.ts";
export { withoutDropped } from "./without-dropped.ts";
