import {
  bloscCodec,
  bytesCodec,
  bzip2Codec,
  type Codec,
  fletcher32Codec,
  shuffleCodec,
  zlibCodec,
  zstdCodec,
} from "../../codecs/index.ts";
import { FreshetError } from "../../errors/index.ts";
import type { Endian } from "../../virtual/index.ts";
import type { Filter } from "./messages/filter-pipeline.ts";

/** How a chunk is decoded, and how many of its stored bytes at the end are no data but a checksum. */
export interface CodecPipeline {
  readonly codecs: readonly Codec[];
  readonly trailer: number;
}

/** Identifications of registered HDF5 filters. */
export const FILTER = {
  deflate: 1,
  shuffle: 2,
  fletcher32: 3,
  szip: 4,
  nbit: 5,
  scaleOffset: 6,
  bzip2: 307,
  lzf: 32000,
  blosc: 32001,
  lz4: 32004,
  bitshuffle: 32008,
  zstd: 32015,
} as const;

/** Bytes that the fletcher32 filter puts behind the data. */
export const FLETCHER32_BYTES = 4;

/** The filters that a chunk with this mask went through: bit n of the mask says that filter n was skipped. */
export function appliedFilters(filters: readonly Filter[], mask: number): readonly Filter[] {
  return filters.filter((_, index) => ((mask >>> index) & 1) === 0);
}

/**
 * The codecs of chunks whose filters are these, in the order of writing. A checksum behind everything else is left out, and out of
 * the chunk's length: any reader can then decode it. @throws FreshetError `unsupported` naming the filter.
 */
export function codecPipeline(filters: readonly Filter[], endian: Endian): CodecPipeline {
  let last = filters.length;
  while (last > 0 && filters[last - 1]?.id === FILTER.fletcher32) last--;
  const codecs: Codec[] = [bytesCodec(endian)];
  for (const [index, filter] of filters.slice(0, last).entries()) {
    if (filter.id === FILTER.shuffle && index > 0) throw unsupported("the shuffle filter behind another filter");
    const codec = codecOf(filter);
    if (codec !== undefined) codecs.push(codec);
  }
  return { codecs, trailer: FLETCHER32_BYTES * (filters.length - last) };
}

/** Undefined for a filter that changes nothing. */
function codecOf({ id, name, values }: Filter): Codec | undefined {
  switch (id) {
    case FILTER.deflate:
      return zlibCodec(Math.min(values[0] ?? 1, 9));
    case FILTER.shuffle:
      return (values[0] ?? 1) > 1 ? shuffleCodec(values[0] as number) : undefined;
    case FILTER.fletcher32:
      return fletcher32Codec();
    case FILTER.bzip2:
      return bzip2Codec(Math.min(Math.max(values[0] ?? 9, 1), 9));
    case FILTER.zstd:
      return zstdCodec(Math.min(values[0] ?? 3, 22));
    case FILTER.blosc: {
      const cname = BLOSC_COMPRESSORS[values[6] ?? 0];
      // numcodecs and zarrita build Blosc without snappy.
      if (cname === undefined || cname === "snappy")
        throw unsupported(`the blosc filter with ${cname ?? `compressor ${values[6]}`}`);
      return bloscCodec({
        cname,
        clevel: Math.min(values[4] ?? 5, 9),
        shuffle: Math.min(values[5] ?? 1, 2),
        blocksize: 0,
      });
    }
    case FILTER.szip:
      throw unsupported("the szip filter (4)");
    case FILTER.nbit:
      throw unsupported("the n-bit filter (5)");
    case FILTER.scaleOffset:
      throw unsupported("the scale-offset filter (6)");
    case FILTER.lzf:
      throw unsupported("the lzf filter (32000)");
    case FILTER.lz4:
      throw unsupported("the lz4 filter (32004), whose blocks are HDF5's own,");
    case FILTER.bitshuffle:
      throw unsupported("the bitshuffle filter (32008)");
    default:
      throw unsupported(name === "" ? `filter ${id}` : `the filter ${JSON.stringify(name)} (${id})`);
  }
}

/** Index: the compressor's code in client value 6. */
const BLOSC_COMPRESSORS = ["blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd"];

function unsupported(what: string): FreshetError {
  return new FreshetError("unsupported", `${what} has no Zarr codec that readers share`);
}
