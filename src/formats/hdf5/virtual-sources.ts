import { FreshetError } from "../../errors/index.ts";
import type { LinkedTrees } from "./linked-trees.ts";
import type { Layout } from "./messages/layout.ts";
import { type DatasetNode, findNode, type ObjectTree } from "./object-tree.ts";
import { type FindSources, readVariable } from "./variable.ts";
import { readVirtualMappings } from "./virtual-mappings.ts";
import type { VirtualSource } from "./virtual-storage.ts";

const WHAT = "it is a virtual dataset: its values are in other datasets";

/**
 * Finds the datasets that a virtual dataset of the main file is made of. The part of a source that is not there reads as the fill value, as in
 * libhdf5.
 * @throws FreshetError `unsupported` where a source may not be opened, cannot be referenced, or is virtual itself.
 */
export function findSources(main: ObjectTree, linked: LinkedTrees): FindSources {
  return async (dataset, layout) => {
    const found: VirtualSource[] = [];
    for (const mapping of await mappingsOf(dataset, layout)) {
      for (const selection of [mapping.own, mapping.source]) {
        if (selection.kind === "other") throw new FreshetError("unsupported", `${WHAT}, by a selection ${selection.what}`);
      }
      // %b stands for the numbers of blocks without an end.
      if (/%/.test(mapping.fileName + mapping.path))
        throw new FreshetError("unsupported", `${WHAT}, with numbered names`, { found: mapping.fileName });
      const isHere = mapping.fileName === ".";
      if (isHere && dataset.open !== main.open) throw new FreshetError("unsupported", WHAT);
      const tree = isHere ? main : await linked.open(mapping.fileName, WHAT);
      const node = tree === undefined ? undefined : findNode(tree.root, mapping.path);
      if (node === undefined) {
        found.push({ mapping, array: undefined });
        continue;
      }
      if ("datasets" in node) throw new FreshetError("unsupported", `${WHAT}, of which one is a group`, { found: mapping.path });
      const { array, isConverted } = await readVariable(node, node.name, linked.dimensionNames(node.open), refuseNested);
      // libhdf5 takes their bytes for numbers of the virtual dataset's type.
      if (isConverted) throw new FreshetError("unsupported", `${WHAT}, whose numbers have another form`, { found: mapping.path });
      found.push({ mapping, array });
    }
    return found;
  };
}

async function mappingsOf(dataset: DatasetNode, layout: Layout & { readonly kind: "virtual" }) {
  if (layout.heapAddress === undefined) return [];
  return readVirtualMappings(dataset.open.file, await dataset.open.globalHeap.open(layout.heapAddress, layout.heapIndex));
}

const refuseNested: FindSources = () => {
  throw new FreshetError("unsupported", `${WHAT}, and these are virtual too`);
};
