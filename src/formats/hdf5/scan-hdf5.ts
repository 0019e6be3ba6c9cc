import type { RangeReader } from "../../storage/range-reader.ts";
import type { VariableOutcome, VirtualArray, VirtualGroup } from "../../virtual/index.ts";
import type { FormatOptions, FormatScan } from "../format-scan.ts";
import { inFlight } from "./in-flight.ts";
import { VARIABLES_IN_FLIGHT } from "./limits.ts";
import { LinkedTrees } from "./linked-trees.ts";
import { type DatasetNode, type GroupNode, type ObjectTree, readObjectTree } from "./object-tree.ts";
import { openHdf5 } from "./open-hdf5.ts";
import { refusalOf } from "./refusal.ts";
import { readVariable } from "./variable.ts";
import { findSources } from "./virtual-sources.ts";

/**
 * Scans an HDF5 or netCDF-4 file without reading its values: superblock, groups, object headers, chunk indexes, and of the
 * heaps what attributes and text need.
 * @throws FreshetError `unknown-format`, `malformed`, `truncated` or `unsupported` when the superblock or the root group cannot be
 *   read, and what the reader throws. Anything smaller is refused alone, in the outcomes.
 */
export async function scanHdf5(reader: RangeReader, options: FormatOptions = {}): Promise<FormatScan> {
  const open = await openHdf5(reader, options);
  const linked = new LinkedTrees(open, options);
  const tree = await readObjectTree(open, open.others.mayBeOpened ? linked.open : undefined);
  const variables = await readVariables(tree, linked);
  const root = virtualGroup(tree.root, variables.arrays);
  return { root, outcomes: [...variables.outcomes, ...tree.refusals] };
}

interface Variables {
  readonly outcomes: readonly VariableOutcome[];
  readonly arrays: ReadonlyMap<DatasetNode, VirtualArray>;
}

async function readVariables(tree: ObjectTree, linked: LinkedTrees): Promise<Variables> {
  linked.nameDimensions(tree);
  const sources = findSources(tree, linked);
  const outcomes: VariableOutcome[] = [];
  const arrays = new Map<DatasetNode, VirtualArray>();
  await inFlight(
    [...variablesOf(tree.root)],
    async ({ dataset, name, path }) => {
      try {
        const { array, outcome, reason } = await readVariable(dataset, name, linked.dimensionNames(dataset.open), sources);
        return { array, outcome: { path, outcome, reason } };
      } catch (error) {
        return { array: undefined, outcome: { path, outcome: "refused" as const, reason: refusalOf(error).message } };
      }
    },
    ({ array, outcome }, { dataset }) => {
      outcomes.push(outcome);
      if (array !== undefined) arrays.set(dataset, array);
    },
    VARIABLES_IN_FLIGHT,
  );
  return { outcomes, arrays };
}

/** netCDF-4 gives a variable this prefix when a dimension that it is no coordinate of has its name. */
const NON_COORDINATE = "_nc4_non_coord_";

/** The datasets that are variables, with the names that netCDF gives them. */
function* variablesOf(
  group: GroupNode,
): Generator<{ readonly dataset: DatasetNode; readonly name: string; readonly path: string }> {
  const variables = group.datasets.filter((dataset) => !dataset.bookkeeping.isDimensionOnly);
  const taken = new Set(variables.map((dataset) => dataset.name));
  for (const dataset of variables) {
    const plain = dataset.name.startsWith(NON_COORDINATE) ? dataset.name.slice(NON_COORDINATE.length) : dataset.name;
    const name = plain === "" || taken.has(plain) ? dataset.name : plain;
    yield { dataset, name, path: `${group.path}/${name}` };
  }
  for (const child of group.groups) yield* variablesOf(child);
}

function virtualGroup(node: GroupNode, arrays: ReadonlyMap<DatasetNode, VirtualArray>): VirtualGroup {
  const own = new Map<string, VirtualArray>();
  for (const dataset of node.datasets) {
    const array = arrays.get(dataset);
    if (array !== undefined) own.set(array.name, array);
  }
  return {
    name: node.name,
    attributes: node.attributes,
    arrays: own,
    groups: new Map(node.groups.map((child) => [child.name, virtualGroup(child, arrays)])),
  };
}
