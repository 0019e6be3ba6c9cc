import type { ByteCursor } from "../byte-cursor.ts";
import { walkBtree2 } from "./btree2.ts";
import type { Hdf5File } from "./hdf5-file.ts";

/** What a heap's header says of its huge objects. */
interface HugeObjectsOf {
  /** Bytes of an object's identification. */
  readonly identificationLength: number;
  /** B-tree of the huge objects; undefined where the heap has none. */
  readonly hugeBtreeAddress: number | undefined;
}

/**
 * Objects too large for the blocks of a fractal heap (HDF5 File Format Specification, III.G and III.A.2, record type 1).
 *
 * Identification, behind its first byte           Record of the B-tree
 *   address O, length L   if there is room          address           O
 *   key                   else                      length            L
 *                                                   key               L
 */
export async function readHugeObject(file: Hdf5File, header: HugeObjectsOf, identification: ByteCursor): Promise<ByteCursor> {
  const { offsetSize, lengthSize } = file.superblock;
  if (offsetSize + lengthSize <= header.identificationLength - 1) {
    const address = file.requiredAddress(identification, "huge heap object");
    return await file.read(address, file.length(identification));
  }
  const key = identification.uint(Math.min(lengthSize, header.identificationLength - 1));
  const btreeAddress = header.hugeBtreeAddress;
  if (btreeAddress === undefined) throw identification.malformed("a heap has no index for its huge objects");
  let found: { readonly address: number; readonly length: number } | undefined;
  await walkBtree2(file, btreeAddress, [1], (record) => {
    const address = file.requiredAddress(record, "huge heap object");
    const length = file.length(record);
    if (file.length(record) === key) found = { address, length };
  });
  if (found === undefined) throw identification.malformed("a huge heap object is not in its index", `key ${key}`);
  return await file.read(found.address, found.length);
}
