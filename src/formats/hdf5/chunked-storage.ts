import { readBtree1Chunks } from "./chunk-index/btree1-chunks.ts";
import { readBtree2Chunks } from "./chunk-index/btree2-chunks.ts";
import { ChunkTable } from "./chunk-index/chunk-table.ts";
import { readExtensibleArray } from "./chunk-index/extensible-array.ts";
import { readFixedArray } from "./chunk-index/fixed-array.ts";
import { linearIndex } from "./chunk-index/linear-index.ts";
import type { Hdf5File } from "./hdf5-file.ts";
import type { ChunkedLayout } from "./messages/layout.ts";

/** Lists the chunks of a chunked dataset (HDF5 File Format Specification, VII). `maxShape` has undefined where it is unlimited. */
export async function readChunks(
  file: Hdf5File,
  layout: ChunkedLayout,
  shape: readonly number[],
  maxShape: readonly (number | undefined)[],
): Promise<ChunkTable> {
  const table = new ChunkTable(file, shape, layout.chunkShape);
  const { index } = layout;
  if (index.address === undefined || table.cells === 0) return table;
  const plainLength = layout.chunkShape.reduce((product, length) => product * length, layout.elementSize);
  switch (index.type) {
    case "btree1":
      await readBtree1Chunks(file, index.address, table);
      break;
    case "btree2":
      await readBtree2Chunks(file, index.address, table, plainLength);
      break;
    case "single":
      table.place(0, index.address, index.stored?.length ?? plainLength, index.stored?.filterMask ?? 0);
      break;
    case "implicit":
      placeImplicit(table, index.address, plainLength, maxShape);
      break;
    case "fixed-array":
      await readFixedArray(file, index.address, table, plainLength, linearIndex(table, maxShape), mostChunks(table, maxShape));
      break;
    case "extensible-array":
      await readExtensibleArray(file, index.address, table, plainLength, linearIndex(table, maxShape));
      break;
  }
  return table;
}

/** No index at all (VII.B): the chunks of the maximum shape stand one behind the other, in C order. */
function placeImplicit(table: ChunkTable, address: number, length: number, maxShape: readonly (number | undefined)[]): void {
  const { grid, chunkShape } = table;
  for (let cell = 0; cell < table.cells; cell++) {
    let chunk = 0;
    let stride = 1;
    let rest = cell;
    for (let axis = grid.length - 1; axis >= 0; axis--) {
      const count = grid[axis] as number;
      const longest = maxShape[axis];
      chunk += (rest % count) * stride;
      stride *= longest === undefined ? count : Math.ceil(longest / (chunkShape[axis] as number));
      rest = Math.floor(rest / count);
    }
    table.place(cell, address + chunk * length, length, 0);
  }
}

/** Chunks of the maximum shape, of the present one along unlimited dimensions. */
function mostChunks({ grid, chunkShape }: ChunkTable, maxShape: readonly (number | undefined)[]): number {
  return grid.reduce((product, count, axis) => {
    const longest = maxShape[axis];
    return product * (longest === undefined ? count : Math.ceil(longest / (chunkShape[axis] as number)));
  }, 1);
}
