import type { ByteCursor } from "../../byte-cursor.ts";
import { type Key, requireOrder, walkBtree1 } from "../btree1.ts";
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
  const readOffsets = (cursor: ByteCursor): number[] => Array.from({ length: rank + 1 }, () => cursor.u64());
  const readKey = (cursor: ByteCursor): Key => {
    cursor.skip(8);
    return readOffsets(cursor);
  };
  const shape = { type: 1, keySize: 8 * (rank + 2), k: file.superblock.chunkK, readKey } as const;
  await walkBtree1(file, address, shape, (leaf, entries, bounds) => {
    let before: Key | undefined;
    for (let entry = 0; entry < entries; entry++) {
      const length = leaf.u32();
      const filterMask = leaf.u32();
      const offsets = readOffsets(leaf);
      // A lookup finds only what stands in order and where the nodes above say: libhdf5 would take the rest for missing.
      if (before !== undefined) requireOrder(leaf, before, offsets);
      else if (bounds !== undefined) requireOrder(leaf, bounds.from, offsets, true);
      before = offsets;
      if (offsets[rank] !== 0) throw leaf.malformed("a chunk begins within an element", `byte ${offsets[rank]}`, "byte 0");
      let cell = 0;
      let inside = true;
      for (let axis = 0; axis < rank; axis++) {
        const index = (offsets[axis] as number) / (chunkShape[axis] as number);
        if (!Number.isInteger(index)) throw leaf.malformed("a chunk does not begin on the chunk grid", `chunk index ${index}`);
        // Chunks beyond the present extent are left over from a larger one.
        if (index >= (grid[axis] as number)) inside = false;
        cell += index * (strides[axis] as number);
      }
      const at = file.requiredAddress(leaf, "chunk");
      if (inside) table.place(cell, at, length, filterMask);
    }
    if (before === undefined) return;
    const end = readKey(leaf);
    requireOrder(leaf, before, end);
    if (bounds !== undefined) requireOrder(leaf, end, bounds.to, true);
  });
}
