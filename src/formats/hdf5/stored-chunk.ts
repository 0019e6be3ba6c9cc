import {
  asBlosc,
  asZlib,
  asZstd,
  FLETCHER32_BYTES,
  inflate,
  shuffle,
  unbitshuffle,
  undoScaleOffset,
  unlz4Chunk,
  unlzf,
  unpackBits,
  unshuffle,
  unszip,
  unzstd,
  withFletcher32,
  withoutFletcher32,
} from "../../codecs/index.ts";
import { FreshetError } from "../../errors/index.ts";
import { FILTER } from "./filter.ts";
import type { Filter } from "./messages/filter-pipeline.ts";

/**
 * The elements, `length` bytes, of a stored chunk that went through these filters.
 * @throws FreshetError `malformed`; `unsupported` for a filter that is not decoded here.
 */
export async function unpackChunk(stored: Uint8Array, filters: readonly Filter[], length: number): Promise<Uint8Array> {
  // Data that did not get shorter may pass from filter to filter a little longer than the elements.
  const most = length + Math.ceil(length / 16) + 1024;
  if (stored.length > 2 * most) throw wrongLength("a stored chunk is much longer than its elements", stored.length, length);
  let bytes = stored;
  for (const filter of filters.toReversed()) bytes = await undo(filter, bytes, most);
  if (bytes.length < length) throw wrongLength("a chunk is shorter than its elements", bytes.length, length);
  return bytes.subarray(0, length);
}

/** The first filter in the order of reading that is not decoded here. */
export function firstUndecoded(filters: readonly Filter[]): Filter | undefined {
  return filters.findLast(({ id }) => !DECODED.has(id));
}

async function undo({ id, name, values }: Filter, bytes: Uint8Array, most: number): Promise<Uint8Array> {
  switch (id) {
    case FILTER.deflate:
      return await inflate(bytes, most);
    case FILTER.shuffle:
      return unshuffle(bytes, values[0] ?? 1);
    case FILTER.fletcher32:
      return withoutFletcher32(bytes);
    case FILTER.szip: {
      const [options = 0, pixelsPerBlock = 0, bitsPerPixel = 0, pixelsPerScanline = 0] = values;
      return unszip(bytes, { options, pixelsPerBlock, bitsPerPixel, pixelsPerScanline }, most);
    }
    case FILTER.nbit:
      return unpackBits(bytes, values, most);
    case FILTER.scaleOffset:
      return undoScaleOffset(bytes, values, most);
    case FILTER.lzf:
      return unlzf(bytes, most);
    case FILTER.lz4:
      return unlz4Chunk(bytes, most);
    case FILTER.bitshuffle:
      return await unbitshuffle(bytes, values, most);
    case FILTER.zstd:
      return await unzstd(bytes, most);
    case FILTER.bitGroom:
    case FILTER.granularBitRound:
      return bytes;
    default:
      throw new FreshetError("unsupported", `filter ${id}${name === "" ? "" : ` (${name})`} is not decoded here`);
  }
}

/**
 * Elements as these filters would have stored them, without making them shorter: what any decoder of theirs gives back unchanged.
 * Undefined where a filter has no such form.
 */
export function asStored(elements: Uint8Array, filters: readonly Filter[]): Uint8Array | undefined {
  let bytes: Uint8Array | undefined = elements;
  for (const { id, values } of filters) {
    if (bytes === undefined) return undefined;
    bytes = redo(id, values, bytes);
  }
  return bytes;
}

function redo(id: number, values: readonly number[], bytes: Uint8Array): Uint8Array | undefined {
  switch (id) {
    case FILTER.deflate:
      return asZlib(bytes);
    case FILTER.shuffle:
      return shuffle(bytes, values[0] ?? 1);
    case FILTER.fletcher32:
      return withFletcher32(bytes);
    case FILTER.zstd:
      return asZstd(bytes);
    case FILTER.blosc:
      return asBlosc(bytes, values[2] ?? 1);
    case FILTER.bitGroom:
    case FILTER.granularBitRound:
      return bytes;
    default:
      return undefined;
  }
}

const DECODED: ReadonlySet<number> = new Set([
  FILTER.deflate,
  FILTER.shuffle,
  FILTER.fletcher32,
  FILTER.szip,
  FILTER.nbit,
  FILTER.scaleOffset,
  FILTER.lzf,
  FILTER.lz4,
  FILTER.bitshuffle,
  FILTER.zstd,
  FILTER.bitGroom,
  FILTER.granularBitRound,
]);

/** Bytes of checksums behind everything else, which references leave out. */
export function trailerOf(filters: readonly Filter[]): number {
  let last = filters.length;
  while (last > 0 && filters[last - 1]?.id === FILTER.fletcher32) last--;
  return FLETCHER32_BYTES * (filters.length - last);
}

function wrongLength(summary: string, found: number, expected: number): FreshetError {
  return new FreshetError("malformed", summary, { found: `${found} bytes`, expected: `${expected} bytes` });
}
