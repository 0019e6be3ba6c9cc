import type { ByteCursor } from "../byte-cursor.ts";
import { expectSignature, type Hdf5File, unknownVersion } from "./hdf5-file.ts";
import { decodeText } from "./text.ts";

/**
 * Local heap (HDF5 File Format Specification, III.D): the names of an old-style group.
 *
 *   signature "HEAP"     4
 *   version              1
 *   reserved             3
 *   bytes of data        L
 *   free list            L
 *   address of data      O
 */
export interface LocalHeap {
  /** The NUL-terminated text at an offset of the data. */
  text(offset: number): string;
}

/** Reads the heap at `address` with its data. */
export async function readLocalHeap(file: Hdf5File, address: number): Promise<LocalHeap> {
  const cursor = await file.read(address, 8 + 2 * file.superblock.lengthSize + file.superblock.offsetSize);
  expectSignature(cursor, "HEAP", "local heap");
  const version = cursor.u8();
  if (version !== 0) throw unknownVersion(cursor, "local heap", version, "0");
  cursor.skip(3);
  const length = file.length(cursor);
  file.lengthOrUnlimited(cursor);
  const data: ByteCursor = await file.read(file.requiredAddress(cursor, "data of a local heap"), length);
  return {
    text(offset) {
      data.seek(data.base + offset);
      return decodeText(data.untilNul());
    },
  };
}
