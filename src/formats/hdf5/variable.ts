import { bytesCodec, vlenUtf8Codec } from "../../codecs/index.ts";
import { FreshetError } from "../../errors/index.ts";
import { ChunkManifestBuilder, chunkGrid, type FillValue, type VirtualArray } from "../../virtual/index.ts";
import type { ByteCursor } from "../byte-cursor.ts";
import type { DimensionNames } from "./dimension-names.ts";
import { type ElementType, elementTypeOf } from "./element-type.ts";
import { readExternalStorage } from "./external-storage.ts";
import { inlineText } from "./inlined-text.ts";
import { type Dataspace, readDataspace } from "./messages/dataspace.ts";
import { readDatatype } from "./messages/datatype.ts";
import { readFilterPipeline } from "./messages/filter-pipeline.ts";
import { type Layout, readLayout } from "./messages/layout.ts";
import { findMessage, MESSAGE } from "./object-header.ts";
import { type DatasetNode, readAttributes } from "./object-tree.ts";
import type { OpenHdf5 } from "./open-hdf5.ts";
import { readStorage, type StoredArray } from "./storage.ts";
import { readStorageFill } from "./storage-fill.ts";
import { type VirtualSource, virtualChunks } from "./virtual-storage.ts";
import { type ZarrChunks, zarrChunks } from "./zarr-chunks.ts";

export interface Variable {
  readonly array: VirtualArray;
  readonly outcome: "referenced" | "inlined";
  /** Why it is inlined, in whole or in part; empty for `referenced`. */
  readonly reason: string;
  /** Its numbers are stored in a form that Zarr has no type for. */
  readonly isConverted: boolean;
}

/** Finds what a virtual dataset is made of. */
export type FindSources = (
  dataset: DatasetNode,
  layout: Layout & { readonly kind: "virtual" },
) => Promise<readonly VirtualSource[]>;

/**
 * A dataset as a virtual array called `name`. @throws FreshetError `unsupported` or `malformed` with the reason why its values cannot be
 * referenced or inlined.
 */
export async function readVariable(
  dataset: DatasetNode,
  name: string,
  names: DimensionNames,
  sources: FindSources,
): Promise<Variable> {
  const { open } = dataset;
  const { file } = open;
  const dataspace = readDataspace(file, await openRequired(open, dataset, MESSAGE.dataspace, "dataspace"));
  if (dataspace.kind === "null") throw new FreshetError("unsupported", "its dataspace is null: it has no elements and no shape");
  const datatype = readDatatype(await openRequired(open, dataset, MESSAGE.datatype, "datatype"));
  const element = elementTypeOf(datatype);
  const layout = readLayout(file, await openRequired(open, dataset, MESSAGE.layout, "data layout"));
  const fillValue = await readStorageFill(open, dataset.header, datatype, element);
  const chunks =
    layout.kind === "virtual"
      ? await virtualDataset(open, dataspace, element, fillValue, await sources(dataset, layout))
      : await storedDataset(dataset, layout, dataspace, datatype.size, element);
  const array: VirtualArray = {
    name,
    shape: [...dataspace.shape, ...element.innerShape],
    chunkShape: [...chunks.chunkShape, ...element.innerShape],
    dimensionNames: [...names.of(dataset, dataspace.shape.length), ...element.innerShape.map(() => null)],
    dataType: element.dataType,
    codecs: chunks.codecs,
    fillValue,
    attributes: await readAttributes(open, dataset.attributes),
    manifest: chunks.manifest,
  };
  const reason = chunks.inlined ?? (layout.kind === "compact" ? COMPACT : "");
  return { array, outcome: reason === "" ? "referenced" : "inlined", reason, isConverted: element.converted !== undefined };
}

type Chunks = ZarrChunks & { readonly chunkShape: readonly number[] };
type Simple = Dataspace & { readonly kind: "simple" };

async function storedDataset(
  dataset: DatasetNode,
  layout: Exclude<Layout, { readonly kind: "virtual" }>,
  dataspace: Simple,
  elementSize: number,
  element: ElementType,
): Promise<Chunks> {
  const { open, header } = dataset;
  const filterMessage = findMessage(header, MESSAGE.filterPipeline);
  const filters = filterMessage === undefined ? [] : readFilterPipeline(await open.shared.open(filterMessage));
  const stored: StoredArray = { dataspace, elementSize, innerRank: element.innerShape.length, filters };
  const external = findMessage(header, MESSAGE.externalFiles);
  const chunks =
    external === undefined ? await readStorage(open, layout, stored) : await readExternalStorage(open, external, stored);
  const { chunkShape } = chunks;
  const elements = chunkShape.reduce((product, length) => product * length, 1);
  if (element.dataType.kind === "string") {
    const manifest = await inlineText(open, chunks, elements);
    return { chunkShape, codecs: [vlenUtf8Codec()], manifest, inlined: "text of variable length" };
  }
  return { chunkShape, ...(await zarrChunks(open, chunks, element, elements * elementSize)) };
}

async function virtualDataset(
  open: OpenHdf5,
  { shape }: Simple,
  element: ElementType,
  fillValue: FillValue,
  sources: readonly VirtualSource[],
): Promise<Chunks> {
  if (element.innerShape.length > 0) throw new FreshetError("unsupported", "it is a virtual dataset of an array type");
  const chunks = virtualChunks(shape, sources, { dataType: element.dataType, fillValue }, (cells) => open.file.claimCells(cells));
  if (chunks !== undefined) {
    const inlined = chunks.manifest.counts().inlined;
    return { ...chunks, inlined: inlined === 0 ? undefined : `${inlined} chunks of its sources are inlined` };
  }
  const chunkShape = shape.map((length) => Math.max(1, length));
  const manifest = new ChunkManifestBuilder(chunkGrid(shape, chunkShape)).build();
  const isText = element.dataType.kind === "string";
  return { chunkShape, codecs: [isText ? vlenUtf8Codec() : bytesCodec(element.endian)], manifest, inlined: undefined };
}

const COMPACT = "compact storage: the values are in the object header";

async function openRequired(open: OpenHdf5, dataset: DatasetNode, type: number, what: string): Promise<ByteCursor> {
  const message = findMessage(dataset.header, type);
  if (message === undefined) throw open.file.malformed(`the dataset has no ${what}`, dataset.address);
  return await open.shared.open(message);
}
