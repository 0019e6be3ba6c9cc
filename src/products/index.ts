export { alongGrid } from "./array-change.ts";
export { needsTally, type ToldAttributes, tallied, withEnds } from "./attribute-tally.ts";
export { decodeAxis } from "./axis-time.ts";
export { decodeTime, readTimeEncoding } from "./cf-time.ts";
export { collectionFacts, collectionTime } from "./collection-fields.ts";
export { describeLead } from "./describe-lead.ts";
export { actionFor } from "./drift-kind.ts";
export { epochChange, layoutChange, showing, stateChange } from "./epoch-change.ts";
export { type Cell, ForecastCells } from "./forecast-cells.ts";
export {
  countMembers,
  describeAwaited,
  describeLeads,
  type ForecastRun,
  forecastRun,
  givenUpAt,
  isSettled,
  type MemberState,
  type RunMember,
  type RunState,
} from "./forecast-run.ts";
export {
  differencesOf,
  groupOfView,
  runName,
  runSplit,
  type ViewCell,
  type ViewChange,
  type ViewDifference,
  type ViewLayout,
  viewIndex,
  viewsOf,
} from "./forecast-views.ts";
export { gapsOf } from "./gaps.ts";
export { compareSchemas, compareTimes, type Drift, describeDrifts, type GranuleSchema, schemaOf } from "./granule-schema.ts";
export {
  axisOf,
  type GranuleShape,
  groupOf,
  nameTimeOf,
  type ShapedArray,
  shapeGranule,
} from "./granule-shape.ts";
export { compareIntervals } from "./intervals.ts";
export { isOfOne } from "./is-of-one.ts";
export { differenceOf, Layout, type LayoutDifference, type LayoutRow, rowPlace, type SlotChange } from "./layout.ts";
export { type CopyPlan, driftsFrom, type EncodedArray, planCopy, wholeChunks } from "./native-copy.ts";
export type { PlacedGranule, ReadCopy, Shown } from "./placed-granule.ts";
export {
  type Arrival,
  type CalendarArithmetic,
  type DisplacedRow,
  misfitOfSteps,
  type Placement,
  type PlacementRules,
  placeArrivals,
  type ReadyArrival,
} from "./placement.ts";
export { placeInOrder } from "./placement-in-order.ts";
export { calendarOf, placementRules, slotMeaning } from "./placement-rules.ts";
export { shapeFor, templateFor } from "./product-shape.ts";
export { requirePublishable } from "./publishable.ts";
export { referenceTimeOf, requireFreeNames } from "./reference-time.ts";
export { firstKept } from "./retention.ts";
export { requireSingleSteps, singleStep } from "./single-step.ts";
export {
  type EpochHeader,
  epochGroup,
  granulesIn,
  type Hold,
  isStatePath,
  type PublicationKind,
  productHash,
  readStoredState,
  type StateHeader,
  type StoredEpoch,
  type StoredState,
  standingRow,
} from "./stored-state.ts";
export { viewChange } from "./view-change.ts";
export { withoutDropped } from "./without-dropped.ts";
