import type { ByteCursor } from "../byte-cursor.ts";
import type { Hdf5File } from "./hdf5-file.ts";

/**
 * Blocks of a fractal heap (HDF5 File Format Specification, III.G): a table of `width` columns whose rows double in block size
 * from the second row on. Rows up to the largest direct block hold data; the rows below hold tables of the same kind.
 *
 * Direct block                            Indirect block
 *   signature "FHDB"    4                   signature "FHIB"    4
 *   version             1                   version             1
 *   heap header         O                   heap header         O
 *   block offset        ⌈heap bits / 8⌉     block offset        ⌈heap bits / 8⌉
 *   checksum            4   by header flag  direct blocks       O each
 *   data                                    indirect blocks     O each
 *                                           checksum            4
 *
 * Offsets in the heap count the headers of direct blocks too.
 */
export interface DoublingTable {
  readonly width: number;
  readonly startingBlockSize: number;
  readonly largestDirectBlock: number;
  readonly heapBits: number;
  readonly rootAddress: number | undefined;
  /** Rows of the root block; 0: the root is a direct block. */
  readonly rootRows: number;
}

export interface DirectBlock {
  readonly cursor: ByteCursor;
  /** Offset in the heap of the block's first byte. */
  readonly start: number;
  readonly size: number;
}

/** Gives the bytes of a block, checked to be of its kind. */
export type ReadBlock = (address: number, size: number, indirect: boolean) => Promise<ByteCursor>;

/** Bytes of an offset in the heap. */
export function heapOffsetBytes(table: DoublingTable): number {
  return Math.ceil(table.heapBits / 8);
}

/** Finds the direct block that holds an offset of the heap. */
export async function findDirectBlock(
  file: Hdf5File,
  table: DoublingTable,
  offset: number,
  read: ReadBlock,
): Promise<DirectBlock> {
  let address = table.rootAddress;
  let rows = table.rootRows;
  let start = 0;
  let size = table.startingBlockSize;
  // Every turn goes to a block that is at least one row smaller.
  while (rows > 0 && address !== undefined) {
    const directRows = Math.min(rows, directRowsOf(table));
    const place = locate(table, rows, offset - start);
    if (place === undefined) break;
    const children = await read(address, indirectBlockBytes(file, table, rows), true);
    children.seek(children.base + indirectPrefix(file, table) + place.child * file.superblock.offsetSize);
    address = file.address(children);
    start += place.start;
    size = place.size;
    rows = place.row < directRows ? 0 : rowsOf(table, place.size);
  }
  if (rows > 0 || address === undefined || offset < start || offset >= start + size) {
    throw file.malformed("a heap object lies outside its heap", table.rootAddress ?? 0, `offset ${offset}`);
  }
  return { cursor: await read(address, size, false), start, size };
}

/** Bytes of each block of a row. */
function blockSizeOfRow(table: DoublingTable, row: number): number {
  return table.startingBlockSize * 2 ** Math.max(0, row - 1);
}

/** The child of an indirect block that holds an offset counted from the block's own start. */
function locate(
  table: DoublingTable,
  rows: number,
  offset: number,
): { readonly row: number; readonly child: number; readonly start: number; readonly size: number } | undefined {
  let start = 0;
  for (let row = 0; row < rows; row++) {
    const size = blockSizeOfRow(table, row);
    if (offset < start + size * table.width) {
      const column = Math.floor((offset - start) / size);
      return { row, child: row * table.width + column, start: start + column * size, size };
    }
    start += size * table.width;
  }
  return undefined;
}

function directRowsOf(table: DoublingTable): number {
  return Math.log2(table.largestDirectBlock) - Math.log2(table.startingBlockSize) + 2;
}

/** Rows of an indirect block that covers `size` bytes of the heap. */
function rowsOf(table: DoublingTable, size: number): number {
  return Math.log2(size) - Math.log2(table.startingBlockSize * table.width) + 1;
}

function indirectPrefix(file: Hdf5File, table: DoublingTable): number {
  return 5 + file.superblock.offsetSize + heapOffsetBytes(table);
}

function indirectBlockBytes(file: Hdf5File, table: DoublingTable, rows: number): number {
  return indirectPrefix(file, table) + rows * table.width * file.superblock.offsetSize + 4;
}
