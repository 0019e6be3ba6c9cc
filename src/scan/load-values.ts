import { bytesCodec } from "../codecs/index.ts";
import { FreshetError, isFreshetError } from "../errors/index.ts";
import type { FormatScan } from "../formats/format-scan.ts";
import {
  arraysOf,
  ChunkManifestBuilder,
  chunkGrid,
  elementSize,
  type VariableOutcome,
  type VirtualArray,
  type VirtualGroup,
} from "../virtual/index.ts";
import { coordinatePaths, dimensionPaths, pathsWithout } from "./coordinates.ts";
import { type ReadRange, readVirtualArray } from "./virtual-store.ts";

/** Values beyond this stay references: a 1000 x 1000 grid of float64 fits, a field of data does not. */
const LOADED_BYTES = 8 * 1024 * 1024;

/** Arrays whose values are read: what CF calls coordinates, only those of dimensions, or arrays by name or absolute path. */
export type Load = "coordinates" | "dimensions" | readonly string[];

/**
 * The scan with the values of some arrays in it: each becomes one inline chunk, codec `bytes` little-endian, outcome `inlined`.
 * `load` is "coordinates" (see `coordinatePaths`) or "dimensions" (of these, see `dimensionPaths`), `without` axes (see `pathsWithout`), or
 * names and absolute paths. Of the first three, what is too large, or cannot be decoded here, stays a reference.
 * @throws FreshetError `drift` when a named array is not in the file, `unsupported` when it has more than 8 MiB or cannot be
 *   decoded, `malformed`, and what `read` throws.
 */
export async function loadValues(
  scan: FormatScan,
  load: Load | { readonly without: readonly string[] },
  read: ReadRange,
  signal?: AbortSignal,
): Promise<FormatScan> {
  const isNamed = typeof load !== "string" && !("without" in load);
  const paths = isNamed ? namedPaths(scan.root, load) : unnamedPaths(scan.root, load);
  const loaded = new Map<VirtualArray, VirtualArray>();
  const outcomes = new Map(scan.outcomes.map((outcome) => [outcome.path, outcome]));
  for (const [path, array] of arraysOf(scan.root)) {
    const isThere = !isNamed && outcomes.get(path)?.outcome === "inlined";
    if (!paths.has(path) || isThere) continue;
    try {
      loaded.set(array, await withValues(array, read, signal));
      // What is inlined already has a reason that says more.
      if (outcomes.get(path)?.outcome !== "inlined")
        outcomes.set(path, { path, outcome: "inlined", reason: "its values are loaded" });
    } catch (error) {
      const mayStay = !isNamed && isFreshetError(error, "unsupported", "malformed");
      if (!mayStay) throw isFreshetError(error) ? error.at({ path }) : error;
    }
  }
  return { root: replaceArrays(scan.root, loaded), outcomes: inOrder(scan.outcomes, outcomes) };
}

async function withValues(array: VirtualArray, read: ReadRange, signal: AbortSignal | undefined): Promise<VirtualArray> {
  const width = elementSize(array.dataType as Parameters<typeof elementSize>[0]) as number | undefined;
  // Text of any length is inline as it is.
  if (width === undefined) return array;
  const bytes = array.shape.reduce((product, length) => product * length, width);
  if (bytes > LOADED_BYTES)
    throw new FreshetError("unsupported", "the array is too large to load", {
      found: `${bytes} bytes`,
      expected: `at most ${LOADED_BYTES}`,
    });
  const values = await readVirtualArray(array, read, signal);
  const chunkShape = array.shape.map((length) => Math.max(1, length));
  const manifest = new ChunkManifestBuilder(chunkGrid(array.shape, chunkShape));
  if (!array.shape.includes(0)) manifest.setInline(0, values);
  const serializer = array.dataType.kind === "number" ? bytesCodec("little") : (array.codecs[0] ?? bytesCodec("little"));
  return { ...array, chunkShape, codecs: [serializer], manifest: manifest.build() };
}

function unnamedPaths(
  root: VirtualGroup,
  load: "coordinates" | "dimensions" | { readonly without: readonly string[] },
): Set<string> {
  if (load === "dimensions") return dimensionPaths(root);
  return load === "coordinates" ? coordinatePaths(root) : pathsWithout(root, load.without);
}

function namedPaths(root: VirtualGroup, names: readonly string[]): Set<string> {
  const all = [...arraysOf(root)].map(([path]) => path);
  return new Set(
    names.flatMap((name) => {
      const paths = all.filter((path) => matchesName(path, name));
      if (paths.length === 0)
        throw new FreshetError("drift", "an array to load is not in the file", {
          found: all.map((path) => path.slice(1)).join(", ") || "no arrays",
          expected: name,
        });
      return paths;
    }),
  );
}

/** A name as a person gives it: absolute (`/group/name`), or the last part of any path. */
export function matchesName(path: string, name: string): boolean {
  return name.startsWith("/") ? path === name : path.endsWith(`/${name}`);
}

function replaceArrays(group: VirtualGroup, replaced: ReadonlyMap<VirtualArray, VirtualArray>): VirtualGroup {
  return {
    ...group,
    arrays: new Map([...group.arrays].map(([name, array]) => [name, replaced.get(array) ?? array])),
    groups: new Map([...group.groups].map(([name, child]) => [name, replaceArrays(child, replaced)])),
  };
}

function inOrder(order: readonly VariableOutcome[], outcomes: ReadonlyMap<string, VariableOutcome>): VariableOutcome[] {
  return order.map((outcome) => outcomes.get(outcome.path) ?? outcome);
}
