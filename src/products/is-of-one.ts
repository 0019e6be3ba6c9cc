import type { CollectionOfOne, Product } from "../dataset/index.ts";

/** Whether one granule is the whole product: each publication replaces all arrays. */
export function isOfOne(product: Product): product is CollectionOfOne {
  return product.kind === "collection" && product.along === "none";
}
