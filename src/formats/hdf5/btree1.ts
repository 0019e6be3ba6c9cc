import type { FreshetError } from "../../errors/index.ts";
import type { ByteCursor } from "../byte-cursor.ts";
import { expectSignature, type Hdf5File } from "./hdf5-file.ts";
import { inFlight } from "./in-flight.ts";

/**
 * Version 1 B-tree node (HDF5 File Format Specification, III.A.1).
 *
 *   signature "TREE"   4
 *   type               1   0: group, 1: chunks
 *   level              1   0: leaf
 *   entries            2
 *   left sibling       O
 *   right sibling      O
 *   key 0, child 0, key 1, child 1, …, key n
 *
 * A node of a tree with parameter K has room for 2K entries.
 */
export interface Btree1Shape {
  readonly type: 0 | 1;
  readonly keySize: number;
  readonly k: number;
  /** Reads what a key is compared by, and steps over it. Without it the order of the keys is not looked at. */
  readonly readKey?: (cursor: ByteCursor) => Key;
}

/** Compared number by number, the first that differs deciding. */
export type Key = readonly number[];

/** What is below a child: keys from `from` up to, but not including, `to`. A lookup finds nothing else there. */
export interface KeyBounds {
  readonly from: Key;
  readonly to: Key;
}

/** @throws FreshetError `malformed` unless the one comes before the other, or is the same where that is allowed. */
export function requireOrder(cursor: ByteCursor, before: Key, after: Key, mayBeSame = false): void {
  for (let at = 0; at < after.length; at++) {
    const step = (after[at] as number) - (before[at] as number);
    if (step > 0) return;
    if (step < 0) throw outOfOrder(cursor, after);
  }
  if (!mayBeSame) throw outOfOrder(cursor, after);
}

/** The error of a key that does not come behind the one before it. */
export function outOfOrder(cursor: ByteCursor, key: Key): FreshetError {
  return cursor.malformed("the keys of a B-tree are out of order", `${key.join()} where a later one should be`);
}

type VisitLeaf = (cursor: ByteCursor, entries: number, bounds: KeyBounds | undefined) => void;

/**
 * Walks a tree from left to right. `visitLeaf` gets a cursor at key 0 of each leaf, the number of entries and, where keys are read, their bounds;
 * a level always leads to the next lower one, so the walk ends.
 */
export async function walkBtree1(file: Hdf5File, root: number, shape: Btree1Shape, visitLeaf: VisitLeaf): Promise<void> {
  const cursor = await readNode(file, root, shape);
  await walkNode(file, cursor, shape, {}, visitLeaf);
}

async function readNode(file: Hdf5File, address: number, shape: Btree1Shape): Promise<ByteCursor> {
  const prefix = 8 + 2 * file.superblock.offsetSize;
  const length = prefix + 2 * shape.k * (shape.keySize + file.superblock.offsetSize) + shape.keySize;
  return await file.readGuess(address, prefix, length);
}

async function walkNode(
  file: Hdf5File,
  cursor: ByteCursor,
  shape: Btree1Shape,
  { level: expectedLevel, bounds }: { readonly level?: number; readonly bounds?: KeyBounds | undefined },
  visitLeaf: VisitLeaf,
): Promise<void> {
  expectSignature(cursor, "TREE", "B-tree node");
  const type = cursor.u8();
  if (type !== shape.type) throw cursor.malformed("a B-tree node is of the wrong type", `${type}`, `${shape.type}`);
  const level = cursor.u8();
  if (expectedLevel !== undefined && level !== expectedLevel) {
    throw cursor.malformed("a B-tree node is at the wrong level", `${level}`, `${expectedLevel}`);
  }
  const entries = cursor.u16();
  if (entries > 2 * shape.k) throw cursor.malformed("a B-tree node has too many entries", `${entries}`, `at most ${2 * shape.k}`);
  cursor.skip(2 * file.superblock.offsetSize);
  if (level === 0) {
    visitLeaf(cursor, entries, bounds);
    return;
  }
  const children: { readonly address: number; readonly bounds: KeyBounds | undefined }[] = [];
  const readKey = shape.readKey;
  let key = readKey?.(cursor);
  if (bounds !== undefined && key !== undefined) requireOrder(cursor, bounds.from, key, true);
  for (let entry = 0; entry < entries; entry++) {
    if (readKey === undefined) cursor.skip(shape.keySize);
    const address = file.requiredAddress(cursor, "child of a B-tree node");
    const next = readKey?.(cursor);
    if (key !== undefined && next !== undefined) requireOrder(cursor, key, next);
    children.push({ address, bounds: key === undefined || next === undefined ? undefined : { from: key, to: next } });
    key = next;
  }
  if (bounds !== undefined && key !== undefined) requireOrder(cursor, key, bounds.to, true);
  if (new Set(children.map(({ address }) => address)).size !== children.length) {
    throw cursor.malformed("a B-tree node names a child twice");
  }
  await inFlight(
    children,
    ({ address }) => readNode(file, address, shape),
    (node, child) => walkNode(file, node, shape, { level: level - 1, bounds: child.bounds }, visitLeaf),
  );
}
