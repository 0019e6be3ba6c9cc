export { canBeKey } from "./can-be-key.ts";
export { DimensionNamer } from "./dimension-names.ts";
export { zarr2Array } from "./zarr2-array.ts";
export { type Zarr2Entry, Zarr2Metadata } from "./zarr2-metadata.ts";
