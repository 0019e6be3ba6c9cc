import { bytesCodec, type Codec } from "../../codecs/index.ts";
import { FreshetError } from "../../errors/index.ts";
import { ChunkManifest, ChunkManifestBuilder } from "../../virtual/index.ts";
import { codecPipeline } from "./codec-pipeline.ts";
import { convertNumbers } from "./convert-numbers.ts";
import type { ElementType } from "./element-type.ts";
import type { Filter } from "./messages/filter-pipeline.ts";
import type { OpenHdf5 } from "./open-hdf5.ts";
import { asStored, firstUndecoded, trailerOf } from "./stored-chunk.ts";
import type { StoredChunks } from "./stored-chunks.ts";
import { isPresent, unpackedChunks } from "./unpacked-chunks.ts";

/** Chunks as readers of Zarr decode them. */
export interface ZarrChunks {
  readonly codecs: readonly Codec[];
  readonly manifest: ChunkManifest;
  /** Why some or all of them are inlined; undefined where all are as they are stored. */
  readonly inlined: string | undefined;
}

/**
 * The chunks of a dataset for Zarr: by reference where codecs that readers share decode them; otherwise decoded here, and inlined as far as
 * that is allowed. `chunkBytes` are the bytes of one chunk unpacked.
 * @throws FreshetError `unsupported` naming what no reader could decode, and how large it is; `malformed`.
 */
export async function zarrChunks(
  open: OpenHdf5,
  stored: StoredChunks,
  element: ElementType,
  chunkBytes: number,
): Promise<ZarrChunks> {
  if (element.converted !== undefined) {
    return await decoded(open, stored, element, chunkBytes, `Zarr has no type for ${element.converted.from}`);
  }
  let because = stored.pipelines.length > 1 ? DIFFERENT_FILTERS : "";
  for (const filters of targets(stored)) {
    const pipeline = codecPipeline(filters, element.endian);
    if (pipeline.codecs === undefined) {
      because ||= pipeline.because;
      continue;
    }
    if (stored.pipelines.length <= 1) {
      return { codecs: pipeline.codecs, manifest: referenced(stored, filters, chunkBytes), inlined: undefined };
    }
    const manifest = await mixed(open, stored, filters, chunkBytes);
    if (manifest !== undefined) return { codecs: pipeline.codecs, manifest, inlined: DIFFERENT_FILTERS };
  }
  return await decoded(open, stored, element, chunkBytes, because);
}

const DIFFERENT_FILTERS = "its chunks did not all go through the same filters (filter masks differ)";

/**
 * The filters that chunks could be referenced with: the one list where there is one; else the longest first, so that files whose chunks were
 * compressed here and there agree.
 */
function targets({ filters, pipelines }: StoredChunks): readonly (readonly Filter[])[] {
  if (pipelines.length === 0) return [filters];
  return pipelines
    .toSorted((a, b) => b.filters.length - a.filters.length || b.bytes - a.bytes)
    .map((pipeline) => pipeline.filters);
}

/** All chunks went through these filters: the ranges are taken over, without the checksums behind the data. */
function referenced(stored: StoredChunks, filters: readonly Filter[], chunkBytes: number): ChunkManifest {
  const { manifest } = stored;
  const trailer = trailerOf(filters);
  if (filters.length > 0 && trailer === 0) return manifest;
  const lengths = new Float64Array(manifest.lengths.length);
  for (let cell = 0; cell < manifest.cells; cell++) {
    if (!isPresent(manifest, cell)) continue;
    const reference = manifest.at(cell);
    if (reference.kind === "range") lengths[cell] = withoutTrailer(reference, filters, trailer, chunkBytes);
  }
  return new ChunkManifest({ ...manifest, lengths });
}

/** The length of a range without its checksums. @throws FreshetError `malformed` where it cannot be a chunk. */
function withoutTrailer(
  range: { readonly uri: string; readonly offset: number; readonly length: number },
  filters: readonly Filter[],
  trailer: number,
  chunkBytes: number,
): number {
  const { uri, offset } = range;
  const length = range.length - trailer;
  if (length < 0) {
    throw new FreshetError("malformed", "a chunk is shorter than its checksum", { found: `${range.length} bytes`, uri, offset });
  }
  // Without filters, the bytes are the elements.
  if (filters.length === trailer / CHECKSUM_BYTES && length !== chunkBytes) {
    throw new FreshetError("malformed", "a chunk without filters has the wrong length", {
      found: `${length} bytes`,
      expected: `${chunkBytes} bytes`,
      uri,
      offset,
    });
  }
  return length;
}

const CHECKSUM_BYTES = 4;

/**
 * Most chunks by reference, and those that went through other filters inlined, as these filters would have stored them. Undefined where that
 * is more than may be inlined, or cannot be done.
 */
async function mixed(
  open: OpenHdf5,
  stored: StoredChunks,
  filters: readonly Filter[],
  chunkBytes: number,
): Promise<ChunkManifest | undefined> {
  const isOther = (cell: number): boolean => stored.filtersOf(cell) !== filters;
  const others = presentCells(stored.manifest, isOther);
  const undecoded = stored.pipelines.some((other) => other.filters !== filters && firstUndecoded(other.filters) !== undefined);
  if (undecoded || asStored(new Uint8Array(0), filters) === undefined || others * chunkBytes > open.inlineBytes) return undefined;
  open.file.claimInlined(others * chunkBytes);
  const builder = new ChunkManifestBuilder(stored.manifest.grid);
  const trailer = trailerOf(filters);
  for (let cell = 0; cell < stored.manifest.cells; cell++) {
    if (!isPresent(stored.manifest, cell) || isOther(cell)) continue;
    const reference = stored.manifest.at(cell);
    if (reference.kind !== "range") continue;
    builder.setRange(cell, reference.uri, reference.offset, withoutTrailer(reference, filters, trailer, chunkBytes));
  }
  for await (const [cell, bytes] of unpackedChunks(open, stored, chunkBytes, isOther)) {
    const chunk = asStored(bytes, filters) as Uint8Array;
    builder.setInline(cell, trailer === 0 ? chunk : chunk.subarray(0, chunk.length - trailer));
  }
  return builder.build();
}

/** Every chunk decoded, its numbers those of the element's type, little-endian where they were converted. */
async function decoded(
  open: OpenHdf5,
  stored: StoredChunks,
  element: ElementType,
  chunkBytes: number,
  because: string,
): Promise<ZarrChunks> {
  if (stored.pipelines.some(({ filters }) => firstUndecoded(filters) !== undefined))
    throw new FreshetError("unsupported", because);
  const { converted } = element;
  const bytes = presentCells(stored.manifest, () => true) * chunkBytes;
  if (bytes > open.inlineBytes) {
    throw new FreshetError("unsupported", `${because}, and there is too much to decode and inline it`, {
      found: `${bytes} bytes`,
      expected: `at most ${open.inlineBytes} (inlineBytes)`,
    });
  }
  open.file.claimInlined(bytes);
  const builder = new ChunkManifestBuilder(stored.manifest.grid);
  for await (const [cell, chunk] of unpackedChunks(open, stored, chunkBytes)) {
    // A copy where the chunk is a view: what it was cut from need not stay.
    builder.setInline(cell, converted === undefined ? new Uint8Array(chunk) : convertNumbers(open.file, chunk, converted));
  }
  return { codecs: [bytesCodec(element.endian)], manifest: builder.build(), inlined: because };
}

function presentCells(manifest: ChunkManifest, wanted: (cell: number) => boolean): number {
  let count = 0;
  for (let cell = 0; cell < manifest.cells; cell++) if (isPresent(manifest, cell) && wanted(cell)) count++;
  return count;
}
