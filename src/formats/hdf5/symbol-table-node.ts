import type { ByteCursor } from "../byte-cursor.ts";
import { expectSignature, type Hdf5File, unknownVersion } from "./hdf5-file.ts";
import type { LocalHeap } from "./local-heap.ts";
import type { Link } from "./messages/link.ts";

/**
 * Symbol table node (HDF5 File Format Specification, III.B) with its entries (III.C).
 *
 *   signature "SNOD"      4
 *   version               1
 *   reserved              1
 *   number of symbols     2
 *   entries, each:
 *     name                O   offset in the group's local heap
 *     object header       O
 *     cache type          4   2: a soft link
 *     reserved            4
 *     scratch            16
 */
export async function openSymbolTableNode(file: Hdf5File, address: number): Promise<ByteCursor> {
  const { offsetSize, groupLeafK } = file.superblock;
  return await file.readGuess(address, 8, 8 + 2 * groupLeafK * (2 * offsetSize + 24));
}

const SOFT_LINK = 2;

/** Reads the links of a node. */
export function readSymbolTableNode(file: Hdf5File, cursor: ByteCursor, heap: LocalHeap): Link[] {
  expectSignature(cursor, "SNOD", "symbol table node");
  const version = cursor.u8();
  if (version !== 1) throw unknownVersion(cursor, "symbol table node", version, "1");
  cursor.skip(1);
  const symbols = cursor.u16();
  const links: Link[] = [];
  for (let index = 0; index < symbols; index++) {
    const name = heap.text(cursor.uint(file.superblock.offsetSize));
    const address = file.address(cursor);
    const cacheType = cursor.u32();
    cursor.skip(20);
    const soft = cacheType === SOFT_LINK || address === undefined;
    links.push({ name, creationOrder: undefined, target: soft ? { kind: "soft" } : { kind: "hard", address } });
  }
  return links;
}
