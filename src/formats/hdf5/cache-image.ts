import type { RangeReader } from "../../storage/range-reader.ts";
import { verifyChecksum } from "./checksum.ts";
import { expectSignature, type Hdf5File, unknownVersion } from "./hdf5-file.ts";

/**
 * Metadata cache image: libhdf5 can leave its metadata in one block when it closes a file, instead of where they belong; what stands at their
 * addresses is then out of date (H5Cimage.c of HDF5 1.10 and later; the specification has only the message that leads here).
 *
 *   signature "MDCI"          4
 *   version                   1
 *   flags                     1
 *   bytes of the block        L
 *   entries                   4
 *   entries, each:
 *     type, flags, ring, age  4
 *     dependencies            3 × 2   the last is the number of parents
 *     rank                    4
 *     address                 O
 *     bytes                   L
 *     parents                 O each
 *     image
 *   checksum                  4
 */
export interface CacheImageEntry {
  readonly address: number;
  readonly image: Uint8Array;
}

/** Reads the block of `length` bytes at `address`; its entries in the order of their addresses. */
export async function readCacheImage(file: Hdf5File, address: number, length: number): Promise<readonly CacheImageEntry[]> {
  const cursor = await file.read(address, length);
  expectSignature(cursor, "MDCI", "metadata cache image");
  const version = cursor.u8();
  if (version !== 0) throw unknownVersion(cursor, "metadata cache image", version, "0");
  cursor.skip(1);
  file.length(cursor);
  const count = cursor.u32();
  const entries: CacheImageEntry[] = [];
  for (let index = 0; index < count; index++) {
    cursor.skip(8);
    const parents = cursor.u16();
    cursor.skip(4);
    const entryAddress = file.requiredAddress(cursor, "entry of a metadata cache image");
    const bytes = file.length(cursor);
    cursor.skip(parents * file.superblock.offsetSize);
    entries.push({ address: entryAddress, image: cursor.take(bytes) });
  }
  verifyChecksum(cursor, cursor.base, "metadata cache image");
  return entries.sort((a, b) => a.address - b.address);
}

/** The same file as it reads with the entries where they belong. Addresses count from `base`. */
export function withCacheImage(reader: RangeReader, base: number, entries: readonly CacheImageEntry[]): RangeReader {
  const { uri, size, identity } = reader;
  const read: RangeReader["read"] = async (offset, length, signal) => {
    const stored = await reader.read(offset, length, signal);
    const overlapping = entries.filter(
      ({ address, image }) => base + address < offset + length && base + address + image.length > offset,
    );
    if (overlapping.length === 0) return stored;
    const bytes = new Uint8Array(stored);
    for (const { address, image } of overlapping) {
      const at = base + address - offset;
      bytes.set(image.subarray(Math.max(0, -at), Math.max(0, -at) + length - Math.max(0, at)), Math.max(0, at));
    }
    return bytes;
  };
  return { uri, size, identity, read, close: () => reader.close() };
}
