import type { Form } from "./form.ts";
import type { FieldKind } from "./name-token.ts";

interface AnyCollection {
  readonly kind: "collection";
  /** Unique in the dataset. */
  readonly name: string;
  /** The coordinate variable that granules are joined along; "" where there is none. */
  readonly axis: string;
  /** The dimension that granules are joined along; "" where there is none. */
  readonly dimension: string;
  /** Where the product is kept: `file:///…` without a final `/`. */
  readonly store: string;
  /** Positions for each manifest of the store. */
  readonly split: number;
  /** What files name as their calendar holds. */
  readonly fileCalendar?: undefined;
  /** Everything stays. */
  readonly keep?: undefined;
  /** Forms that are published beside the store; absent where there is none. */
  readonly also?: readonly Form[] | undefined;
}

/** Granules stacked on their own time, whatever steps that has: ascending, present ones only. */
export interface CollectionAlongTime extends AnyCollection {
  readonly along: "coordinate";
}

/** What a coordinate along the granules says of each. */
export type GranuleCoordinate =
  /** A field of its name, or of the message that announced it. */
  | { readonly from: "field"; readonly field: string; readonly kind: FieldKind }
  /** A global attribute of the file, one value. */
  | { readonly from: "attribute"; readonly attribute: string }
  /** The file's name, without folders. */
  | { readonly from: "name" };

/** Granules stacked on a new dimension, one position each. */
export interface CollectionAlongGranules extends AnyCollection {
  readonly along: "granule";
  /** Fields by which granules are ordered, the first before the others; the key comes last. */
  readonly order: readonly string[];
  /** By name. */
  readonly coordinates: Readonly<Record<string, GranuleCoordinate>>;
  /** Variables that are the same in every granule; undefined: coordinates of dimensions, and grid mappings. */
  readonly static?: readonly string[] | undefined;
  /** The field that says when a granule is valid. */
  readonly time: string;
}

/** One granule is the whole product. */
export interface CollectionOfOne extends AnyCollection {
  readonly along: "none";
  /** The field that says which granule is newer. */
  readonly newest: string;
  /** The field that says when a granule is valid. */
  readonly time: string;
}

/** Whether latitudes and longitudes belong to each granule, so that they stay in the granules instead of being read. */
export function isOfSwaths({
  products,
}: {
  readonly products: readonly { readonly kind: string; readonly along?: string }[];
}): boolean {
  return products.some(({ kind, along }) => kind === "collection" && along === "granule");
}

/** Granules as one dataset, without a calendar. */
export type CollectionProduct = CollectionAlongTime | CollectionAlongGranules | CollectionOfOne;
