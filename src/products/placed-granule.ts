import type { SourceIdentity } from "../storage/index.ts";
import type { VirtualGroup } from "../virtual/index.ts";
import type { GranuleShape } from "./granule-shape.ts";
import type { Layout, SlotChange } from "./layout.ts";
import type { StateHeader } from "./stored-state.ts";

/** A granule that goes into a slot: its shape and what its source was when it was scanned. */
export interface PlacedGranule {
  readonly slot: number;
  readonly root: VirtualGroup;
  readonly shape: GranuleShape;
  readonly source: SourceIdentity;
}

export interface TimeseriesChange {
  /** The whole state after the change; `dropped` and `sparse` grow with what the granules showed. */
  readonly header: Omit<StateHeader, "dropped" | "sparse">;
  readonly before: Pick<StateHeader, "dropped" | "sparse"> | undefined;
  readonly template: PlacedGranule;
  readonly layout: Layout;
  readonly changes: readonly SlotChange[];
  /** Slots before the change. */
  readonly from: number;
  /** The granules of all changed slots that are not gaps. */
  readonly granules: ReadonlyMap<number, PlacedGranule>;
  /** The instant of a slot's first step. */
  readonly timeAt: (slot: number, step: number) => number;
}
