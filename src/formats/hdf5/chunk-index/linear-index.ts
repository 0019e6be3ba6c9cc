import type { ChunkTable } from "./chunk-table.ts";

/**
 * Arrays of chunks number them in C order over the grid of the *maximum* shape (HDF5 File Format Specification, VII.B to D), with the
 * unlimited dimension, where there is one, moved to the front.
 */
export type CellOfElement = (element: number) => number | undefined;

/**
 * Gives the cell of the present grid that an element of a chunk array stands for, undefined for one outside. The grid of the maximum
 * shape is at least as large as the present one.
 */
export function linearIndex(table: ChunkTable, maxShape: readonly (number | undefined)[]): CellOfElement {
  const unlimited = Math.max(0, maxShape.indexOf(undefined));
  const order = table.grid.map((_, axis) => axis);
  order.unshift(...order.splice(unlimited, 1));
  const axes = order.map((axis) => {
    const longest = maxShape[axis];
    return {
      count: table.grid[axis] as number,
      stride: table.strides[axis] as number,
      most: longest === undefined ? Number.POSITIVE_INFINITY : Math.ceil(longest / (table.chunkShape[axis] as number)),
    };
  });
  return (element) => {
    let cell = 0;
    let rest = element;
    for (let at = axes.length - 1; at >= 0; at--) {
      const { count, stride, most } = axes[at] as (typeof axes)[number];
      const index = at === 0 ? rest : rest % most;
      if (index >= count) return undefined;
      cell += index * stride;
      rest = Math.floor(rest / most);
    }
    return cell;
  };
}
