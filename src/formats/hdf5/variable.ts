import { vlenUtf8Codec } from "../../codecs/index.ts";
import { FreshetError } from "../../errors/index.ts";
import type { VirtualArray } from "../../virtual/index.ts";
import type { ByteCursor } from "../byte-cursor.ts";
import type { DimensionNames } from "./dimension-names.ts";
import { elementTypeOf } from "./element-type.ts";
import { inlineText } from "./inlined-text.ts";
import { readDataspace } from "./messages/dataspace.ts";
import { readDatatype } from "./messages/datatype.ts";
import { readFilterPipeline } from "./messages/filter-pipeline.ts";
import { readLayout } from "./messages/layout.ts";
import { findMessage, MESSAGE } from "./object-header.ts";
import { type DatasetNode, readAttributes } from "./object-tree.ts";
import type { OpenHdf5 } from "./open-hdf5.ts";
import { readStorage } from "./storage.ts";
import { readStorageFill } from "./storage-fill.ts";
import { zarrChunks } from "./zarr-chunks.ts";

export interface Variable {
  readonly array: VirtualArray;
  readonly outcome: "referenced" | "inlined";
  /** Why it is inlined, in whole or in part; empty for `referenced`. */
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
  if (layout.kind === "virtual") {
    throw new FreshetError("unsupported", "it is a virtual dataset: its values are in other datasets");
  }
  const innerRank = element.innerShape.length;
  const stored = await readStorage(open, layout, { dataspace, elementSize: datatype.size, innerRank, filters });
  const chunkShape = [...stored.chunkShape, ...element.innerShape];
  const elements = stored.chunkShape.reduce((product, length) => product * length, 1);
  const chunks =
    element.dataType.kind === "string"
      ? {
          codecs: [vlenUtf8Codec()],
          manifest: await inlineText(open, stored, elements),
          inlined: "text of variable length",
        }
      : await zarrChunks(open, stored, element, elements * datatype.size);
  const array: VirtualArray = {
    name,
    shape: [...dataspace.shape, ...element.innerShape],
    chunkShape,
    dimensionNames: [...names.of(dataset, dataspace.shape.length), ...element.innerShape.map(() => null)],
    dataType: element.dataType,
    codecs: chunks.codecs,
    fillValue: await readStorageFill(open, dataset.header, datatype, element),
    attributes: await readAttributes(open, dataset.attributes),
    manifest: chunks.manifest,
  };
  const reason = chunks.inlined ?? (layout.kind === "compact" ? COMPACT : "");
  return { array, outcome: reason === "" ? "referenced" : "inlined", reason };
}

const COMPACT = "compact storage: the values are in the object header";

async function openRequired(open: OpenHdf5, dataset: DatasetNode, type: number, what: string): Promise<ByteCursor> {
  const message = findMessage(dataset.header, type);
  if (message === undefined) throw open.file.malformed(`the dataset has no ${what}`, dataset.address);
  return await open.shared.open(message);
}
