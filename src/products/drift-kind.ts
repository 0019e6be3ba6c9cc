import { type DriftAction, type DriftKind, type DriftPolicy, driftAction } from "../dataset/index.ts";
import type { Drift } from "./granule-schema.ts";

const KIND_OF_FACT: Readonly<Record<string, DriftKind>> = {
  chunks: "chunks",
  codecs: "codecs",
  variable: "variables",
  fill: "fill",
  _FillValue: "fill",
  missing_value: "fill",
  type: "types",
  units: "units",
  calendar: "units",
  time: "units",
  scale_factor: "packing",
  add_offset: "packing",
  _Unsigned: "packing",
  "interval around the valid time": "meaning",
  standard_name: "meaning",
  positive: "meaning",
  cell_methods: "meaning",
  flag_values: "meaning",
  flag_masks: "meaning",
  flag_meanings: "meaning",
  steps: "steps",
};

/** The kind of a disagreement. Dimensions, shapes, the grid's values and everything that a grid mapping says are the grid. */
export function kindOf({ fact }: Drift): DriftKind {
  return KIND_OF_FACT[fact] ?? (fact.startsWith("attribute ") ? "attributes" : "grid");
}

/** Of several, the one that leaves the granule least. */
const STRICTEST: readonly DriftAction[] = ["refuse", "quarantine", "epoch", "native"];

/** What is done about a granule with these disagreements. At least one. */
export function actionFor(policy: DriftPolicy, drifts: readonly Drift[]): DriftAction {
  const actions = new Set(drifts.map((drift) => driftAction(policy, kindOf(drift))));
  return STRICTEST.find((action) => actions.has(action)) ?? "quarantine";
}
