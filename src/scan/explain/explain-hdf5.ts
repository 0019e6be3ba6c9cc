import { FreshetError, isFreshetError } from "../../errors/index.ts";
import { DimensionNames } from "../../formats/hdf5/dimension-names.ts";
import { describeFilter } from "../../formats/hdf5/filter.ts";
import type { Hdf5File } from "../../formats/hdf5/hdf5-file.ts";
import { readDataspace } from "../../formats/hdf5/messages/dataspace.ts";
import { type Datatype, readDatatype } from "../../formats/hdf5/messages/datatype.ts";
import { readFilterPipeline } from "../../formats/hdf5/messages/filter-pipeline.ts";
import { type Layout, readLayout } from "../../formats/hdf5/messages/layout.ts";
import { type HeaderMessage, MESSAGE, SHARED } from "../../formats/hdf5/object-header.ts";
import { type DatasetNode, type ObjectTree, readObjectTree } from "../../formats/hdf5/object-tree.ts";
import { type OpenHdf5, openHdf5 } from "../../formats/hdf5/open-hdf5.ts";
import { type FindSources, readVariable } from "../../formats/hdf5/variable.ts";
import { type RangeReader, withBlockCache } from "../../storage/index.ts";
import type { Evidence } from "./evidence.ts";
import { WatchedReads } from "./watched-reads.ts";

/** Reads a variable again, alone, and tells what each structure on the way says. Undefined where the file has no such dataset. */
export async function explainHdf5(reader: RangeReader, path: string, signal?: AbortSignal): Promise<Evidence[] | undefined> {
  const watched = new WatchedReads(withBlockCache(reader));
  const open = await openHdf5(watched, { signal });
  const { base, version, offsetSize, lengthSize, rootAddress } = open.file.superblock;
  const superblock = {
    offset: base,
    structure: "superblock",
    says: `version ${version}, addresses of ${offsetSize} bytes, lengths of ${lengthSize}, root group at ${base + rootAddress}`,
  };
  const tree = await readObjectTree(open);
  const dataset = datasetAt(tree, path);
  if (dataset === undefined) return undefined;
  watched.take();
  const header = {
    offset: base + dataset.address,
    structure: "object header",
    says: `the dataset, ${dataset.header.messages.length} messages`,
  };
  const messages: Evidence[] = [];
  for (const message of dataset.header.messages) messages.push(await messageEvidence(open, message));
  return [superblock, header, ...messages, ...(await indexEvidence(tree, dataset, watched))];
}

/** By the path of the scan: a dataset that netCDF gave a prefix to is also found without it. */
function datasetAt(tree: ObjectTree, path: string): DatasetNode | undefined {
  const prefixed = path.replace(/[^/]*$/, (name) => `_nc4_non_coord_${name}`);
  const find = (wanted: string): DatasetNode | undefined => tree.datasets.find((dataset) => dataset.path === wanted);
  return find(prefixed) ?? find(path);
}

/** What was read for the chunks, and where the reading ended. */
async function indexEvidence(tree: ObjectTree, dataset: DatasetNode, watched: WatchedReads): Promise<Evidence[]> {
  const elsewhere: FindSources = () => {
    throw new FreshetError("unsupported", "its values are in other datasets");
  };
  try {
    const { array } = await readVariable(dataset, dataset.name, new DimensionNames(tree.datasets), elsewhere);
    const first = array.manifest.offsets[array.manifest.uriIndex.indexOf(0)];
    const { ranges, inlined, missing } = array.manifest.counts();
    const says = `${ranges} chunks by reference, ${inlined} inlined, ${missing} missing`;
    return [...watched.take(), ...(first === undefined ? [] : [{ offset: first, structure: "first chunk", says }])];
  } catch (error) {
    if (!isFreshetError(error, "malformed", "truncated", "unsupported")) throw error;
    const offset = error.facts.offset ?? dataset.open.file.superblock.base + dataset.address;
    return [...watched.take(), { offset, structure: "end of the reading", says: error.message }];
  }
}

const NAMES: ReadonlyMap<number, string> = new Map([
  [MESSAGE.dataspace, "dataspace message"],
  [MESSAGE.datatype, "datatype message"],
  [MESSAGE.oldFillValue, "fill value message, old form"],
  [MESSAGE.fillValue, "fill value message"],
  [MESSAGE.externalFiles, "external files message"],
  [MESSAGE.layout, "data layout message"],
  [MESSAGE.filterPipeline, "filter pipeline message"],
  [MESSAGE.attribute, "attribute message"],
  [MESSAGE.attributeInfo, "attribute info message"],
]);

async function messageEvidence(open: OpenHdf5, message: HeaderMessage): Promise<Evidence> {
  const structure = NAMES.get(message.type) ?? `message of type 0x${message.type.toString(16).padStart(2, "0")}`;
  try {
    return { offset: message.position, structure, says: await messageSays(open, message) };
  } catch (error) {
    if (!isFreshetError(error, "malformed", "truncated", "unsupported")) throw error;
    return { offset: message.position, structure, says: error.message };
  }
}

async function messageSays(open: OpenHdf5, message: HeaderMessage): Promise<string> {
  const shared = (message.flags & SHARED) === 0 ? "" : "shared; ";
  switch (message.type) {
    case MESSAGE.dataspace: {
      const space = readDataspace(open.file, await open.shared.open(message));
      if (space.kind === "null") return `${shared}null: no elements`;
      const most = space.maxShape.map((length) => length ?? "unlimited").join(" × ");
      return `${shared}${space.shape.length === 0 ? "scalar" : `${space.shape.join(" × ")}, at most ${most}`}`;
    }
    case MESSAGE.datatype:
      return shared + datatypeSays(readDatatype(await open.shared.open(message)));
    case MESSAGE.filterPipeline:
      return (
        shared +
        readFilterPipeline(await open.shared.open(message))
          .map(describeFilter)
          .join(", ")
      );
    case MESSAGE.layout:
      return shared + layoutSays(open.file, readLayout(open.file, await open.shared.open(message)));
    default:
      return `${shared}${message.body.length} bytes`;
  }
}

function datatypeSays(type: Datatype): string {
  const endian = "endian" in type ? `, ${type.endian}-endian` : "";
  return `${type.class} of ${type.size} bytes${endian}`;
}

const INDEXES = {
  btree1: "B-tree, version 1",
  btree2: "B-tree, version 2",
  single: "none, a single chunk",
  implicit: "none, one chunk behind the other",
  "fixed-array": "fixed array",
  "extensible-array": "extensible array",
} as const;

function layoutSays(file: Hdf5File, layout: Layout): string {
  const at = (address: number | undefined): string =>
    address === undefined ? "not allocated" : `at ${file.superblock.base + address}`;
  switch (layout.kind) {
    case "compact":
      return `compact: ${layout.bytes.length} bytes in this message`;
    case "contiguous":
      return `contiguous, ${at(layout.address)}`;
    case "virtual":
      return `virtual: the list of sources is object ${layout.heapIndex} of the global heap ${at(layout.heapAddress)}`;
    case "chunked":
      return `chunks of ${layout.chunkShape.join(" × ")}; index: ${INDEXES[layout.index.type]}, ${at(layout.index.address)}`;
  }
}
