import { FreshetError } from "../../errors/index.ts";
import { ChunkManifestBuilder } from "../../virtual/index.ts";
import { subdivide } from "../subdivision.ts";
import { ChunkTable } from "./chunk-index/chunk-table.ts";
import { readChunks } from "./chunked-storage.ts";
import { appliedFilters } from "./filter.ts";
import type { Dataspace } from "./messages/dataspace.ts";
import type { Filter } from "./messages/filter-pipeline.ts";
import type { ChunkedLayout, Layout } from "./messages/layout.ts";
import type { OpenHdf5 } from "./open-hdf5.ts";
import { type StoredChunks, unfiltered } from "./stored-chunks.ts";

/** What is stored: a shape, bytes of an element, and the filters that the dataset names. */
export interface StoredArray {
  readonly dataspace: Dataspace & { readonly kind: "simple" };
  readonly elementSize: number;
  /** Dimensions that an array type adds behind those of the dataset: chunks never divide them. */
  readonly innerRank: number;
  readonly filters: readonly Filter[];
}

/** Lists the chunks of a dataset whose values are in its own file. */
export async function readStorage(
  open: OpenHdf5,
  layout: Exclude<Layout, { readonly kind: "virtual" }>,
  array: StoredArray,
): Promise<StoredChunks> {
  switch (layout.kind) {
    case "compact":
      return compact(open, layout.bytes, array);
    case "contiguous":
      return contiguous(open, layout, array);
    case "chunked":
      return await chunked(open, layout, array);
  }
}

function compact(open: OpenHdf5, stored: Uint8Array, { dataspace, elementSize, innerRank }: StoredArray): StoredChunks {
  const bytes = dataspace.elements * elementSize;
  requireBytes(stored.length, bytes);
  open.file.claimInlined(bytes);
  const grid = dataspace.shape.map((length) => Math.min(1, length));
  const builder = new ChunkManifestBuilder([...grid, ...new Array<number>(innerRank).fill(1)]);
  if (!grid.includes(0)) builder.setInline(0, new Uint8Array(stored.subarray(0, bytes)));
  return unfiltered(
    dataspace.shape.map((length) => Math.max(1, length)),
    builder.build(),
  );
}

function contiguous(open: OpenHdf5, layout: Layout & { readonly kind: "contiguous" }, array: StoredArray): StoredChunks {
  const { dataspace, elementSize, innerRank } = array;
  const chunkShape = subdivide(dataspace.shape, elementSize, open.chunkBytes);
  const table = new ChunkTable(open.file, dataspace.shape, chunkShape);
  if (layout.address !== undefined && table.cells > 0) {
    const bytes = dataspace.elements * elementSize;
    requireBytes(layout.size ?? bytes, bytes);
    open.file.requireInside(layout.address, bytes);
    const length = bytes / table.cells;
    for (let cell = 0; cell < table.cells; cell++) table.place(cell, layout.address + cell * length, length, 0);
  }
  return unfiltered(chunkShape, table.manifest(innerRank));
}

async function chunked(open: OpenHdf5, layout: ChunkedLayout, array: StoredArray): Promise<StoredChunks> {
  const { dataspace, elementSize, filters } = array;
  if (layout.chunkShape.length !== dataspace.shape.length || layout.elementSize !== elementSize) {
    throw new FreshetError("malformed", "the chunks do not fit the dataset", {
      found: `chunks of ${layout.chunkShape.length} dimensions and ${layout.elementSize}-byte elements`,
      expected: `${dataspace.shape.length} and ${elementSize}`,
    });
  }
  const table = await readChunks(open.file, layout, dataspace.shape, dataspace.maxShape);
  if (layout.edgesUnfiltered && filters.length > 0) table.unfilterEdges(dataspace.shape);
  const byMask = new Map<number, readonly Filter[]>();
  const pipelines = new Map<string, { filters: readonly Filter[]; bytes: number }>();
  for (const [mask, bytes] of table.masks()) {
    const applied = appliedFilters(filters, mask);
    // Bits of the mask beyond the filters that there are mean nothing.
    const key = applied.map((filter) => filters.indexOf(filter)).join();
    const pipeline = pipelines.get(key) ?? { filters: applied, bytes: 0 };
    pipeline.bytes += bytes;
    pipelines.set(key, pipeline);
    byMask.set(mask, pipeline.filters);
  }
  return {
    chunkShape: layout.chunkShape,
    manifest: table.manifest(array.innerRank),
    filters,
    pipelines: [...pipelines.values()],
    filtersOf: (cell) => byMask.get(table.maskOf(cell)) ?? filters,
  };
}

function requireBytes(found: number, expected: number): void {
  if (found >= expected) return;
  throw new FreshetError("malformed", "fewer bytes are stored than the elements take", {
    found: `${found} bytes`,
    expected: `${expected} bytes`,
  });
}
