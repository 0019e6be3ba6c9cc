import type { ByteCursor } from "../../byte-cursor.ts";
import { type Key, outOfOrder, requireOrder, walkBtree1 } from "../btree1.ts";
import type { Hdf5File } from "../hdf5-file.ts";
import type { ChunkTable } from "./chunk-table.ts";

/**
 * Version 1 B-tree of chunks (HDF5 File Format Specification, III.A.1, node type 1). Key:
 *
 *   stored bytes of the chunk    4
 *   filter mask                  4
 *   offset of its first element  8 for each dimension
 *   zero                         8   offset within an element
 */
export async function readBtree1Chunks(file: Hdf5File, address: number, table: ChunkTable): Promise<void> {
  const { chunkShape, grid, strides } = table;
  const rank = chunkShape.length;
  const readKey = (cursor: ByteCursor): Key => {
    cursor.skip(8);
    const numbers: number[] = [];
    for (let axis = 0; axis <= rank; axis++) numbers.push(cursor.u64());
    return numbers;
  };
  const shape = { type: 1, keySize: 8 * (rank + 2), k: file.superblock.chunkK, readKey } as const;
  // One list for all keys: one for each of a hundred thousand chunks would take as long as all the rest.
  const key = new Array<number>(rank + 1).fill(0);
  await walkBtree1(file, address, shape, (leaf, entries, bounds) => {
    for (let entry = 0; entry < entries; entry++) {
      const length = leaf.u32();
      const filterMask = leaf.u32();
      let cell = 0;
      let inside = true;
      // Above zero when the key is behind the one before it, whichever number is the first that differs.
      let step = 0;
      for (let axis = 0; axis < rank; axis++) {
        const offset = leaf.u64();
        if (step === 0) step = offset - (key[axis] as number);
        key[axis] = offset;
        const index = offset / (chunkShape[axis] as number);
        if (!Number.isInteger(index)) throw leaf.malformed("a chunk does not begin on the chunk grid", `chunk index ${index}`);
        // Chunks beyond the present extent are left over from a larger one.
        if (index >= (grid[axis] as number)) inside = false;
        cell += index * (strides[axis] as number);
      }
      if ((leaf.u32() | leaf.u32()) !== 0) throw leaf.malformed("a chunk begins within an element");
      // A lookup finds only what stands in order and where the nodes above say: libhdf5 would take the rest for missing.
      if (entry > 0 && step <= 0) throw outOfOrder(leaf, key);
      if (entry === 0 && bounds !== undefined) requireOrder(leaf, bounds.from, key, true);
      const at = file.requiredAddress(leaf, "chunk");
      if (inside) table.place(cell, at, length, filterMask);
    }
    if (entries === 0) return;
    const end = readKey(leaf);
    requireOrder(leaf, key, end);
    if (bounds !== undefined) requireOrder(leaf, end, bounds.to, true);
  });
}
