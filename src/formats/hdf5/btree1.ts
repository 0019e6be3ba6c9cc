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
}

/**
 * Walks a tree from left to right. `visitLeaf` gets a cursor at key 0 of each leaf and the number of entries; a level always leads
 * to the next lower one, so the walk ends.
 */
export async function walkBtree1(
  file: Hdf5File,
  root: number,
  shape: Btree1Shape,
  visitLeaf: (cursor: ByteCursor, entries: number) => void,
): Promise<void> {
  const cursor = await readNode(file, root, shape);
  await walkNode(file, cursor, shape, undefined, visitLeaf);
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
  expectedLevel: number | undefined,
  visitLeaf: (cursor: ByteCursor, entries: number) => void,
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
    visitLeaf(cursor, entries);
    return;
  }
  const children: number[] = [];
  for (let entry = 0; entry < entries; entry++) {
    cursor.skip(shape.keySize);
    children.push(file.requiredAddress(cursor, "child of a B-tree node"));
  }
  if (new Set(children).size !== children.length) throw cursor.malformed("a B-tree node names a child twice");
  await inFlight(
    children,
    (child) => readNode(file, child, shape),
    (node) => walkNode(file, node, shape, level - 1, visitLeaf),
  );
}
