import type { ByteCursor } from "../byte-cursor.ts";
import { expectSignature, type Hdf5File, unknownVersion } from "./hdf5-file.ts";

/**
 * Global heap collection (HDF5 File Format Specification, III.E): what elements of variable length point to.
 *
 *   signature "GCOL"     4
 *   version              1
 *   reserved             3
 *   bytes in all         L
 *   objects, each:
 *     index              2   0: the free space at the end
 *     reference count    2
 *     reserved           4
 *     bytes              L
 *     data, padded to a multiple of 8
 *
 * An element of variable length: number of items 4, address of the collection O, index 4.
 */
export class GlobalHeap {
  readonly #file: Hdf5File;
  readonly #collections = new Map<number, Promise<ReadonlyMap<number, Uint8Array>>>();

  constructor(file: Hdf5File) {
    this.#file = file;
  }

  /** Bytes of a stored element of variable length. */
  get elementSize(): number {
    return 8 + this.#file.superblock.offsetSize;
  }

  /**
   * The bytes that the element at the cursor points to, cut to `count × itemSize` by the count that the element states. Empty for an
   * element that was never written.
   */
  async read(cursor: ByteCursor, itemSize: number): Promise<Uint8Array> {
    const length = cursor.u32() * itemSize;
    const address = this.#file.address(cursor);
    const index = cursor.u32();
    if (length === 0 || address === undefined || address === 0) return new Uint8Array(0);
    const object = await this.#object(address, index);
    if (object === undefined || object.length < length) {
      throw cursor.malformed(
        "an element of variable length points to nothing",
        object === undefined ? `no object ${index} in the collection at ${address}` : `${object.length} bytes`,
        `${length} bytes`,
      );
    }
    return object.subarray(0, length);
  }

  /** A cursor over the whole object `index` of the collection at `address`. @throws FreshetError `malformed` where there is none. */
  async open(address: number, index: number): Promise<ByteCursor> {
    const object = await this.#object(address, index);
    if (object === undefined)
      throw this.#file.malformed("a global heap lacks an object that is named", address, `no object ${index}`);
    return this.#file.cursor(object, this.#file.superblock.base + address);
  }

  async #object(address: number, index: number): Promise<Uint8Array | undefined> {
    return (await this.#collection(address)).get(index);
  }

  async #collection(address: number): Promise<ReadonlyMap<number, Uint8Array>> {
    let collection = this.#collections.get(address);
    if (collection === undefined) {
      collection = readCollection(this.#file, address);
      this.#collections.set(address, collection);
    }
    return await collection;
  }
}

/** The smallest collection that libhdf5 writes; most are of this size. */
const GUESS = 4096;

async function readCollection(file: Hdf5File, address: number): Promise<ReadonlyMap<number, Uint8Array>> {
  const { lengthSize } = file.superblock;
  let cursor = await file.readGuess(address, 8 + lengthSize, GUESS);
  expectSignature(cursor, "GCOL", "global heap collection");
  const version = cursor.u8();
  if (version !== 1) throw unknownVersion(cursor, "global heap collection", version, "1");
  cursor.skip(3);
  const length = file.length(cursor);
  if (length > cursor.bytes.length) {
    cursor = await file.read(address, length);
    cursor.skip(8 + lengthSize);
  }
  const end = cursor.base + length;
  const objects = new Map<number, Uint8Array>();
  while (cursor.position + 8 + lengthSize <= end) {
    const index = cursor.u16();
    if (index === 0) break;
    cursor.skip(6);
    const bytes = file.length(cursor);
    objects.set(index, cursor.take(bytes));
    cursor.skip(Math.min(-bytes & 7, cursor.remaining));
  }
  return objects;
}
