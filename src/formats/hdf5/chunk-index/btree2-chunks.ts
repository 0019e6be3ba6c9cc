import { walkBtree2 } from "../btree2.ts";
import type { Hdf5File } from "../hdf5-file.ts";
import type { ChunkTable } from "./chunk-table.ts";

/**
 * Version 2 B-tree of chunks (HDF5 File Format Specification, VII.E; III.A.2, record types 10 and 11), for arrays with several unlimited
 * dimensions.
 *
 * Type 10, no filters                 Type 11
 *   address            O                address            O
 *   chunk index        8 each           stored bytes       what is left of the record
 *                                       filter mask        4
 *                                       chunk index        8 each
 */
export async function readBtree2Chunks(file: Hdf5File, address: number, table: ChunkTable, plainLength: number): Promise<void> {
  const { grid, strides } = table;
  const rank = grid.length;
  await walkBtree2(file, address, [10, 11], (record, { recordType, recordSize }) => {
    const at = file.address(record);
    const filtered = recordType === 11;
    const length = filtered ? record.uint(recordSize - file.superblock.offsetSize - 4 - 8 * rank) : plainLength;
    const filterMask = filtered ? record.u32() : 0;
    let cell = 0;
    let inside = at !== undefined;
    for (let axis = 0; axis < rank; axis++) {
      const index = record.u64();
      if (index >= (grid[axis] as number)) inside = false;
      cell += index * (strides[axis] as number);
    }
    if (inside && at !== undefined) table.place(cell, at, length, filterMask);
  });
}
