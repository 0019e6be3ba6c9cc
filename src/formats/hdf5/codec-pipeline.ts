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
import type { Endian } from "../../virtual/index.ts";
import { describeFilter, FILTER } from "./filter.ts";
import type { Filter } from "./messages/filter-pipeline.ts";

/** How readers decode chunks of these filters, or why none could. */
export type CodecPipeline = { readonly codecs: readonly Codec[] } | { readonly codecs: undefined; readonly because: string };

/**
 * The codecs of chunks that went through these filters, in the order of writing. Checksums behind everything else are left out, as they are
 * of the chunks (`trailerOf`): any reader can then decode them.
 */
export function codecPipeline(filters: readonly Filter[], endian: Endian): CodecPipeline {
  let last = filters.length;
  while (last > 0 && filters[last - 1]?.id === FILTER.fletcher32) last--;
  const codecs: Codec[] = [bytesCodec(endian)];
  for (const [index, filter] of filters.slice(0, last).entries()) {
    // Codecs for shuffle want whole elements; what another filter made has any length.
    if (filter.id === FILTER.shuffle && index > 0) return none("the shuffle filter behind another filter");
    const found = codecsOf(filter);
    if (found === undefined) return none(describeCompressor(filter));
    codecs.push(...found);
  }
  return { codecs };
}

/** Empty for a filter that changes nothing, undefined for one that has no codec. */
function codecsOf({ id, values }: Filter): readonly Codec[] | undefined {
  switch (id) {
    case FILTER.deflate:
      return [zlibCodec(Math.min(values[0] ?? 1, 9))];
    case FILTER.shuffle:
      return (values[0] ?? 1) > 1 ? [shuffleCodec(values[0] as number)] : [];
    case FILTER.fletcher32:
      return [fletcher32Codec()];
    case FILTER.bzip2:
      return [bzip2Codec(Math.min(Math.max(values[0] ?? 9, 1), 9))];
    case FILTER.zstd:
      return [zstdCodec(Math.min(values[0] ?? 3, 22))];
    case FILTER.blosc: {
      const cname = BLOSC_COMPRESSORS[values[6] ?? 0];
      // numcodecs and zarrita build Blosc without snappy.
      if (cname === undefined || cname === "snappy") return undefined;
      return [bloscCodec({ cname, clevel: Math.min(values[4] ?? 5, 9), shuffle: Math.min(values[5] ?? 1, 2), blocksize: 0 })];
    }
    case FILTER.bitGroom:
    case FILTER.granularBitRound:
      return [];
    default:
      return undefined;
  }
}

/** Index: the compressor's code in client value 6. */
const BLOSC_COMPRESSORS = ["blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd"];

function describeCompressor(filter: Filter): string {
  if (filter.id !== FILTER.blosc) return describeFilter(filter);
  const code = filter.values[6] ?? 0;
  return `${describeFilter(filter)} with ${BLOSC_COMPRESSORS[code] ?? `compressor ${code}`}`;
}

function none(what: string): CodecPipeline {
  return { codecs: undefined, because: `${what} has no Zarr codec that readers share` };
}
