import type { Codec } from "../../codecs/index.ts";
import { FreshetError } from "../../errors/index.ts";
import type { Endian } from "../../virtual/index.ts";
import type { ArrayFacts } from "./array-facts.ts";
import { zarr2DataType } from "./zarr2-data-type.ts";
import { zarr2FillValue } from "./zarr2-fill-value.ts";

/** The codecs that Zarr v2 calls compressors; GDAL looks for them only there. */
const COMPRESSORS = new Set(["zlib", "gzip", "zstd", "blosc", "lz4", "bz2"]);

/**
 * `.zarray` (Zarr v2 specification, "Arrays / Metadata") as an object for `JSON.stringify`.
 * @param hasMissing some chunk is not there: see `zarr2FillValue`.
 * @throws FreshetError `unsupported` for what Zarr v2 cannot hold.
 */
export function zarr2Array(array: ArrayFacts, hasMissing: boolean): Record<string, unknown> {
  const [serializer, ...others] = array.codecs;
  const steps = others.map(zarr2Codec);
  if (serializer?.name === "vlen-utf8") steps.unshift({ id: "vlen-utf8" });
  else if (serializer?.name !== "bytes")
    throw new FreshetError("unsupported", "Zarr v2 has no such codec", { found: serializer?.name ?? "no codec" });
  const last = steps.at(-1);
  const compressor = last !== undefined && COMPRESSORS.has(last.id) ? last : null;
  const filters = compressor === null ? steps : steps.slice(0, -1);
  return {
    zarr_format: 2,
    shape: array.shape,
    chunks: array.chunkShape,
    dtype: zarr2DataType(array.dataType, (serializer.configuration.endian as Endian | undefined) ?? "little"),
    compressor,
    filters: filters.length === 0 ? null : filters,
    fill_value: zarr2FillValue(array, hasMissing),
    order: "C",
    dimension_separator: ".",
  };
}

function zarr2Codec(codec: Codec): { readonly id: string; readonly [option: string]: unknown } {
  return { id: codec.name.replace(/^numcodecs\./, ""), ...codec.configuration };
}
