import { vlenUtf8Codec } from "../../codecs/index.ts";
import { FreshetError } from "../../errors/index.ts";
import { type ChunkManifest, ChunkManifestBuilder, type VirtualArray } from "../../virtual/index.ts";
import type { ByteCursor } from "../byte-cursor.ts";
import { ChunkTable } from "./chunk-index/chunk-table.ts";
import { readChunks } from "./chunked-storage.ts";
import { appliedFilters, codecPipeline } from "./codec-pipeline.ts";
import type { DimensionNames } from "./dimension-names.ts";
import { elementTypeOf } from "./element-type.ts";
import { inlineText } from "./inlined-text.ts";
import { type Dataspace, readDataspace } from "./messages/dataspace.ts";
import { readDatatype } from "./messages/datatype.ts";
import { type Filter, readFilterPipeline } from "./messages/filter-pipeline.ts";
import { type ChunkedLayout, type Layout, readLayout } from "./messages/layout.ts";
import { findMessage, MESSAGE } from "./object-header.ts";
import { type DatasetNode, readAttributes } from "./object-tree.ts";
import type { OpenHdf5 } from "./open-hdf5.ts";
import { readStorageFill } from "./storage-fill.ts";

export interface Variable {
  readonly array: VirtualArray;
  readonly outcome: "referenced" | "inlined";
  /** Why it is inlined; empty for `referenced`. */
  readonly reason: string;
}

/**
 * A dataset as a virtual array called `name`. @throws FreshetError `unsupported` or `malformed` with the reason why its values cannot be
 * referenced or inlined.
 */
export async function readVariable(open: OpenHdf5, dataset: DatasetNode, name: string, names: DimensionNames): Promise<Variable> {
  const { file } = open;
  const dataspace = readDataspace(file, await openRequired(open, dataset, MESSAGE.dataspace, "dataspace"));
  if (dataspace.kind === "null") throw new FreshetError("unsupported", "its dataspace is null: it has no elements and no shape");
  const datatype = readDatatype(await openRequired(open, dataset, MESSAGE.datatype, "datatype"));
  const element = elementTypeOf(datatype);
  if (findMessage(dataset.header, MESSAGE.externalFiles) !== undefined) {
    throw new FreshetError("unsupported", "its values are in other files (external storage)");
  }
  const layout = readLayout(file, await openRequired(open, dataset, MESSAGE.layout, "data layout"));
  const filterMessage = findMessage(dataset.header, MESSAGE.filterPipeline);
  const filters = filterMessage === undefined ? [] : readFilterPipeline(await open.shared.open(filterMessage));
  const storage = await readStorage(open, layout, dataspace, datatype.size, filters);

  const innerRank = element.innerShape.length;
  const isText = element.dataType.kind === "string";
  const pipeline = isText ? { codecs: [vlenUtf8Codec()], trailer: 0 } : codecPipeline(storage.filters, element.endian);
  const stored = storage.manifest(pipeline.trailer, innerRank);
  const chunkShape = [...storage.chunkShape, ...element.innerShape];
  const elementsPerChunk = chunkShape.reduce((product, length) => product * length, 1);
  const array: VirtualArray = {
    name,
    shape: [...dataspace.shape, ...element.innerShape],
    chunkShape,
    dimensionNames: [...names.of(dataset, dataspace.shape.length), ...element.innerShape.map(() => null)],
    dataType: element.dataType,
    codecs: pipeline.codecs,
    fillValue: await readStorageFill(open, dataset.header, datatype, element),
    attributes: await readAttributes(open, dataset.attributes),
    manifest: isText ? await inlineText(open, stored, storage.filters, elementsPerChunk) : stored,
  };
  if (isText) return { array, outcome: "inlined", reason: "text of variable length" };
  if (layout.kind === "compact")
    return { array, outcome: "inlined", reason: "compact storage: the values are in the object header" };
  return { array, outcome: "referenced", reason: "" };
}

async function openRequired(open: OpenHdf5, dataset: DatasetNode, type: number, what: string): Promise<ByteCursor> {
  const message = findMessage(dataset.header, type);
  if (message === undefined) throw open.file.malformed(`the dataset has no ${what}`, dataset.address);
  return await open.shared.open(message);
}

/** Where the stored bytes are, in chunks of one shape that all went through the same filters. */
interface Storage {
  readonly chunkShape: readonly number[];
  readonly filters: readonly Filter[];
  readonly manifest: (trailer: number, innerRank: number) => ChunkManifest;
}

async function readStorage(
  open: OpenHdf5,
  layout: Layout,
  dataspace: Dataspace & { readonly kind: "simple" },
  elementSize: number,
  filters: readonly Filter[],
): Promise<Storage> {
  const bytes = dataspace.elements * elementSize;
  const whole = dataspace.shape.map((length) => Math.max(1, length));
  switch (layout.kind) {
    case "compact": {
      requireBytes(layout.bytes.length, bytes);
      const grid = dataspace.shape.map((length) => Math.min(1, length));
      return {
        chunkShape: whole,
        filters: [],
        manifest: (_, innerRank) => inlineManifest(grid, innerRank, new Uint8Array(layout.bytes.subarray(0, bytes))),
      };
    }
    case "contiguous": {
      const table = new ChunkTable(open.file, dataspace.shape, whole);
      if (layout.address !== undefined && table.cells > 0) {
        requireBytes(layout.size ?? bytes, bytes);
        table.place(0, layout.address, bytes, 0);
      }
      return { chunkShape: whole, filters: [], manifest: (trailer, innerRank) => table.manifest(trailer, innerRank) };
    }
    case "chunked":
      return await readChunkedStorage(open, layout, dataspace, elementSize, filters);
    case "virtual":
      throw new FreshetError("unsupported", "it is a virtual dataset: its values are in other datasets");
  }
}

async function readChunkedStorage(
  open: OpenHdf5,
  layout: ChunkedLayout,
  dataspace: Dataspace & { readonly kind: "simple" },
  elementSize: number,
  filters: readonly Filter[],
): Promise<Storage> {
  if (layout.chunkShape.length !== dataspace.shape.length || layout.elementSize !== elementSize) {
    throw new FreshetError("malformed", "the chunks do not fit the dataset", {
      found: `chunks of ${layout.chunkShape.length} dimensions and ${layout.elementSize}-byte elements`,
      expected: `${dataspace.shape.length} and ${elementSize}`,
    });
  }
  const table = await readChunks(open.file, layout, dataspace.shape, dataspace.maxShape);
  const applied = filtersOf(table, layout, dataspace.shape, filters);
  if (applied.length === 0) table.requireLength(layout.chunkShape.reduce((product, length) => product * length, elementSize));
  return {
    chunkShape: layout.chunkShape,
    filters: applied,
    manifest: (trailer, innerRank) => table.manifest(trailer, innerRank),
  };
}

/** The filters that all present chunks went through. @throws FreshetError `unsupported` where they did not all go through the same. */
function filtersOf(
  table: ChunkTable,
  layout: ChunkedLayout,
  shape: readonly number[],
  filters: readonly Filter[],
): readonly Filter[] {
  const edges = layout.edgesUnfiltered && filters.length > 0 ? table.edges(shape) : "none";
  if (edges === "all") return [];
  const pipelines = [...table.masks].map((mask) => appliedFilters(filters, mask));
  const first = pipelines[0] ?? filters;
  const same = pipelines.every(
    (other) => other.length === first.length && other.every((filter, index) => filter === first[index]),
  );
  if (!same) throw new FreshetError("unsupported", "its chunks did not all go through the same filters (filter masks differ)");
  if (edges === "some") throw new FreshetError("unsupported", "its chunks at the edges did not go through the filters");
  return first;
}

function inlineManifest(grid: readonly number[], innerRank: number, bytes: Uint8Array): ChunkManifest {
  const builder = new ChunkManifestBuilder([...grid, ...new Array<number>(innerRank).fill(1)]);
  if (!grid.includes(0)) builder.setInline(0, bytes);
  return builder.build();
}

function requireBytes(found: number, expected: number): void {
  if (found >= expected) return;
  throw new FreshetError("malformed", "fewer bytes are stored than the elements take", {
    found: `${found} bytes`,
    expected: `${expected} bytes`,
  });
}
