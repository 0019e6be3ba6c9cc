import type { SourceIdentity } from "../storage/index.ts";
import type { VirtualGroup } from "../virtual/index.ts";
import type { GranuleShape } from "./granule-shape.ts";
import type { Layout, SlotChange } from "./layout.ts";
import type { EpochHeader } from "./stored-state.ts";

/** A granule that goes into a slot: its shape and what its source was when it was scanned. */
export interface PlacedGranule {
  readonly slot: number;
  readonly root: VirtualGroup;
  readonly shape: GranuleShape;
  readonly source: SourceIdentity;
  /** Reads its chunks that were copied; absent where there are none. */
  readonly readCopy?: ReadCopy | undefined;
}

/** Reads a range of a file of copied chunks. */
export type ReadCopy = (range: { readonly uri: string; readonly offset: number; readonly length: number }) => Promise<Uint8Array>;

/** What the granules of an epoch have shown so far: what differs and what is unwritten only grow. */
export type Shown = Pick<EpochHeader, "dropped" | "sparse" | "told">;

/** Some of the slots that a publication changes in one epoch; the last part of it says the final word in every array's metadata. */
export interface EpochPart {
  readonly epoch: number;
  /** The arrays are not there yet. */
  readonly isFirst: boolean;
  /** With the granules of this part. */
  readonly shown: Shown;
  readonly template: PlacedGranule;
  /** The whole layout after the publication. */
  readonly layout: Layout;
  readonly steps: number;
  /** Of this part. */
  readonly changes: readonly SlotChange[];
  /** Slots before the publication. */
  readonly from: number;
  /** The granules of all changed slots that are not gaps. */
  readonly granules: ReadonlyMap<number, PlacedGranule>;
  /** The instant of a step of a slot. */
  readonly timeAt: (slot: number, step: number) => number;
}
