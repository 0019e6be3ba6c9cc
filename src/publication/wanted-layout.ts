import type { Dataset, TimeseriesProduct } from "../dataset/index.ts";
import {
  type Arrival,
  calendarSteps,
  differenceOf,
  EMPTY_LAYOUT,
  type LayoutDifference,
  layoutHash,
  type Placement,
  pagesOf,
  placeArrivals,
  placementRules,
  type StoredState,
} from "../products/index.ts";

export interface WantedLayout {
  readonly placement: Placement;
  readonly difference: LayoutDifference;
  readonly hash: string;
}

/** The layout that the product should have once the arrivals are in, and what that changes. `steps`: of one granule. */
export function wantedLayout(
  stored: StoredState | undefined,
  arrivals: readonly Arrival[],
  dataset: Dataset,
  product: TimeseriesProduct,
  steps: number,
): WantedLayout {
  const before = stored?.layout ?? EMPTY_LAYOUT;
  const isRetimed = stored !== undefined && stored.header.calendar !== calendarSteps(product);
  const placement = placeArrivals(before, arrivals, placementRules(dataset, product, steps));
  const difference = differenceOf(before, placement.layout, isRetimed);
  return { placement, difference, hash: layoutHash(placement.layout.originMs, pagesOf(placement.layout)) };
}
