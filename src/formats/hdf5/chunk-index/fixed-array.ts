import { verifyChecksum } from "../checksum.ts";
import { expectSignature, type Hdf5File, unknownVersion } from "../hdf5-file.ts";
import { type ArrayElements, arrayElements } from "./array-elements.ts";
import type { ChunkTable } from "./chunk-table.ts";
import type { CellOfElement } from "./linear-index.ts";

/**
 * Fixed array (HDF5 File Format Specification, VII.C), for arrays without unlimited dimensions.
 *
 * Header                          Data block                        Page
 *   signature "FAHD"    4           signature "FADB"     4            elements
 *   version             1           version              1            checksum    4
 *   client              1           client               1
 *   element size        1           header address       O
 *   page bits           1           page bitmap                if there are pages; highest bit first
 *   elements            L           elements                   if there are none
 *   data block          O           checksum             4
 *   checksum            4           pages                      if there are any
 *
 * `chunks` are those of the maximum shape: as many elements there must be. There are pages when there are more than 2^(page bits) elements: that many in each.
 */
export async function readFixedArray(
  file: Hdf5File,
  address: number,
  table: ChunkTable,
  plainLength: number,
  cellOf: CellOfElement,
  chunks: number,
): Promise<void> {
  const { offsetSize, lengthSize } = file.superblock;
  const cursor = await file.read(address, 12 + lengthSize + offsetSize);
  expectSignature(cursor, "FAHD", "fixed array");
  const version = cursor.u8();
  if (version !== 0) throw unknownVersion(cursor, "fixed array", version, "0");
  const client = cursor.u8();
  const elements = arrayElements(file, cursor, client, cursor.u8(), table, plainLength, cellOf);
  const perPage = 2 ** cursor.u8();
  const count = file.length(cursor);
  if (count !== chunks) {
    throw cursor.malformed("a fixed array has another length than its dataset has chunks", `${count}`, `${chunks}`);
  }
  const blockAddress = file.address(cursor);
  verifyChecksum(cursor, cursor.base, "fixed array");
  if (blockAddress === undefined) return;
  const prefix = 6 + offsetSize;
  if (count > perPage) return await readPages(file, blockAddress, elements, count, perPage, prefix);
  const block = await file.read(blockAddress, prefix + count * elements.size + 4);
  expectSignature(block, "FADB", "fixed array block");
  block.skip(prefix - 4);
  elements.place(block, 0, count);
  verifyChecksum(block, block.base, "fixed array block");
}

async function readPages(
  file: Hdf5File,
  address: number,
  elements: ArrayElements,
  count: number,
  perPage: number,
  prefix: number,
): Promise<void> {
  const pages = Math.ceil(count / perPage);
  const bitmapLength = Math.ceil(pages / 8);
  const block = await file.read(address, prefix + bitmapLength + 4);
  expectSignature(block, "FADB", "fixed array block");
  block.skip(prefix - 4);
  const bitmap = block.take(bitmapLength);
  verifyChecksum(block, block.base, "fixed array block");
  const pageBytes = perPage * elements.size + 4;
  const first = address + prefix + bitmapLength + 4;
  for (let page = 0; page < pages; page++) {
    // A page that was never written holds nothing, not even undefined addresses.
    if (((bitmap[page >> 3] as number) & (0x80 >> (page & 7))) === 0) continue;
    const inPage = Math.min(perPage, count - page * perPage);
    const cursor = await file.read(first + page * pageBytes, inPage * elements.size + 4);
    elements.place(cursor, page * perPage, inPage);
    verifyChecksum(cursor, cursor.base, "fixed array page");
  }
}
