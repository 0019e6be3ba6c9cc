import type { Codec } from "../codecs/codec.ts";
import type { Attributes } from "./attributes.ts";
import type { ChunkManifest } from "./chunk-manifest.ts";
import type { DataType } from "./data-type.ts";

/**
 * What an unwritten element reads as: a number for numeric types (bigint for 64-bit integers, boolean for bool, a pair for
 * complex), the stored bytes for fixed strings, opaque and struct, text for strings. Null: the file defines none, so the
 * writer takes Zarr's zero.
 */
export type FillValue = number | bigint | boolean | string | Uint8Array | readonly [number, number] | null;

/**
 * One array of a source as Zarr sees it: everything to read it except the bytes, which stay where they are.
 * Packed data stay packed: CF's `_FillValue`, `scale_factor`, `add_offset` are attributes like any other;
 * `fillValue` is the storage fill alone.
 */
export interface VirtualArray {
  /** Last component of its path. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Same rank as `shape`, every length at least 1. */
  readonly chunkShape: readonly number[];
  /** Same rank as `shape`; null for a dimension that the file does not name. */
  readonly dimensionNames: readonly (string | null)[];
  readonly dataType: DataType;
  /** Zarr v3 order of encoding: array-to-bytes first (`bytes`, `vlen-utf8`), then bytes-to-bytes. */
  readonly codecs: readonly Codec[];
  readonly fillValue: FillValue;
  readonly attributes: Attributes;
  readonly manifest: ChunkManifest;
}

/** A group with what is directly in it, in the order of the file. */
export interface VirtualGroup {
  /** Last component of its path; "" for the root. */
  readonly name: string;
  readonly attributes: Attributes;
  readonly arrays: ReadonlyMap<string, VirtualArray>;
  readonly groups: ReadonlyMap<string, VirtualGroup>;
}

/** How a variable of the source ended. There is no fourth state. */
export type Outcome = "referenced" | "inlined" | "refused";

export interface VariableOutcome {
  /** Absolute path in the source: `/group/name`. */
  readonly path: string;
  readonly outcome: Outcome;
  /** Why, in words; empty for `referenced`. */
  readonly reason: string;
}

/** Every array of the tree with its absolute path, depth first. */
export function* arraysOf(group: VirtualGroup, prefix = ""): Generator<readonly [path: string, array: VirtualArray]> {
  for (const [name, array] of group.arrays) yield [`${prefix}/${name}`, array];
  for (const [name, child] of group.groups) yield* arraysOf(child, `${prefix}/${name}`);
}

/**
 * The tree with other arrays at some paths: undefined takes one away, one that is not there yet is added, and so is the group that it is in.
 */
export function withArrays(root: VirtualGroup, arrays: ReadonlyMap<string, VirtualArray | undefined>, prefix = ""): VirtualGroup {
  const own = new Map(root.arrays);
  const groups = new Map(root.groups);
  const below = new Map<string, Map<string, VirtualArray | undefined>>();
  for (const [path, array] of arrays) {
    const [name = "", ...rest] = path.slice(prefix.length + 1).split("/");
    if (rest.length > 0) below.set(name, (below.get(name) ?? new Map()).set(path, array));
    else if (array === undefined) own.delete(name);
    else own.set(name, array);
  }
  for (const [name, its] of below) {
    const group = groups.get(name) ?? { name, attributes: new Map(), arrays: new Map(), groups: new Map() };
    groups.set(name, withArrays(group, its, `${prefix}/${name}`));
  }
  return { ...root, arrays: own, groups };
}

/** Chunks of the whole tree that are ranges of a source. */
export function countReferences(group: VirtualGroup): number {
  let count = 0;
  for (const [, array] of arraysOf(group)) count += array.manifest.counts().ranges;
  return count;
}
