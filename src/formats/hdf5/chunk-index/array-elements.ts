import type { ByteCursor } from "../../byte-cursor.ts";
import type { Hdf5File } from "../hdf5-file.ts";
import type { ChunkTable } from "./chunk-table.ts";
import type { CellOfElement } from "./linear-index.ts";

/**
 * Element of a fixed or extensible array (HDF5 File Format Specification, VII.C and D).
 *
 * Client 0, no filters        Client 1
 *   address       O             address         O
 *                               stored bytes    what is left of the element
 *                               filter mask     4
 */
export interface ArrayElements {
  readonly filtered: boolean;
  /** Bytes of one. */
  readonly size: number;
  /** Places the chunks of `count` elements at the cursor, numbered from `first` on. */
  readonly place: (cursor: ByteCursor, first: number, count: number) => void;
}

/** Checks the client and the size of the elements. */
export function arrayElements(
  file: Hdf5File,
  cursor: ByteCursor,
  client: number,
  size: number,
  table: ChunkTable,
  plainLength: number,
  cellOf: CellOfElement,
): ArrayElements {
  const { offsetSize } = file.superblock;
  if (client > 1) throw cursor.malformed("the client of a chunk array is unknown", `${client}`, "0 or 1");
  const filtered = client === 1;
  const lengthSize = size - offsetSize - 4;
  if (filtered ? lengthSize < 1 || lengthSize > 8 : size !== offsetSize) {
    throw cursor.malformed("the size of a chunk array's elements is wrong", `${size}`);
  }
  const place = (elements: ByteCursor, first: number, count: number): void => {
    for (let element = first; element < first + count; element++) {
      const address = file.address(elements);
      const length = filtered ? elements.uint(lengthSize) : plainLength;
      const filterMask = filtered ? elements.u32() : 0;
      if (address === undefined) continue;
      const cell = cellOf(element);
      if (cell !== undefined) table.place(cell, address, length, filterMask);
    }
  };
  return { filtered, size, place };
}
