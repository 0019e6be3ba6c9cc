import type { Product } from "../dataset/index.ts";
import type { VirtualGroup } from "../virtual/index.ts";
import { axisOf, type GranuleShape, shapeGranule, shapeTemplate } from "./granule-shape.ts";
import type { LayoutRow } from "./layout.ts";
import { shapeSwath } from "./swath-shape.ts";
import { shapeWhole } from "./whole-shape.ts";

/** What is known of a granule beside its file. */
export interface GranuleTold {
  /** When it is valid, by its name or its row; milliseconds since 1970. */
  readonly validMs: number | undefined;
  /** How exactly its name says so, in milliseconds. Default: 1. */
  readonly precisionMs?: number | undefined;
  /** Of its row, in a collection. */
  readonly fields?: LayoutRow["fields"];
}

/**
 * A granule as a product sees it.
 * @throws FreshetError `drift`, `unsupported`: see `shapeGranule`, `shapeSwath`, `shapeWhole`.
 */
export function shapeFor(product: Product, root: VirtualGroup, { validMs, precisionMs, fields }: GranuleTold): GranuleShape {
  if (product.kind === "collection" && product.along === "granule") return shapeSwath(root, product, validMs ?? 0, fields);
  if (product.kind === "collection" && product.along === "none") return shapeWhole(root, validMs ?? 0);
  return shapeGranule(root, axisOf(product), validMs, precisionMs);
}

/** The shape of a granule that others are held against: what its name says no longer matters. */
export function templateFor(product: Product, root: VirtualGroup): GranuleShape {
  if (product.kind === "collection" && product.along !== "coordinate") return shapeFor(product, root, { validMs: 0 });
  return shapeTemplate(root, axisOf(product));
}
