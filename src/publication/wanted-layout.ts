import type { Dataset, TimeseriesProduct } from "../dataset/index.ts";
import {
  type Arrival,
  differenceOf,
  type Layout,
  type LayoutDifference,
  layoutHash,
  type Placement,
  pagesOf,
  placeArrivals,
  placementRules,
} from "../products/index.ts";

export interface WantedLayout {
  readonly placement: Placement;
  readonly difference: LayoutDifference;
  readonly hash: string;
}

/** The layout that the product should have once the arrivals are in, and what that changes. */
export function wantedLayout(
  stored: Layout,
  arrivals: readonly Arrival[],
  dataset: Dataset,
  product: TimeseriesProduct,
  steps = 1,
): WantedLayout {
  const placement = placeArrivals(stored, arrivals, placementRules(dataset, product, steps));
  const difference = differenceOf(stored, placement.layout);
  return { placement, difference, hash: layoutHash(placement.layout.originMs, pagesOf(placement.layout)) };
}
