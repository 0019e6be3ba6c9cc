import type { ByteCursor } from "../byte-cursor.ts";
import { verifyChecksum } from "./checksum.ts";
import { FractalHeap } from "./fractal-heap.ts";
import { expectSignature, type Hdf5File, unknownVersion } from "./hdf5-file.ts";
import { findMessage, type HeaderMessage, type ObjectHeader, openMessage, readObjectHeader, SHARED } from "./object-header.ts";

/**
 * What stands in place of a message that is kept somewhere else (HDF5 File Format Specification, IV.A.2, "shared message").
 *
 * Version 1                 Version 2               Version 3
 *   version      1            version    1            version    1
 *   type         1            type       1            type       1   1: shared message heap, 2: another header
 *   reserved     6            address    O            heap identification 8, or address O
 *   unused       L
 *   address      O
 *
 * Shared object header message table (III.I), one entry for each index:
 *   signature "SMTB"     4
 *   version              1      each entry from here
 *   index type           1
 *   message types        2
 *   smallest message     4
 *   list and tree limits 2 × 2
 *   messages             2
 *   index address        O
 *   heap address         O
 *   checksum             4      behind the last entry
 */
export class SharedMessages {
  readonly #file: Hdf5File;
  readonly #headers = new Map<number, Promise<ObjectHeader>>();
  /** By message type. */
  #heaps: ReadonlyMap<number, FractalHeap> = new Map();

  constructor(file: Hdf5File) {
    this.#file = file;
  }

  /** Reads the table that the superblock extension names. */
  async readTable(address: number, indexes: number): Promise<void> {
    const entryLength = 14 + 2 * this.#file.superblock.offsetSize;
    const cursor = await this.#file.read(address, 8 + indexes * entryLength);
    expectSignature(cursor, "SMTB", "shared message table");
    const heaps = new Map<number, FractalHeap>();
    for (let index = 0; index < indexes; index++) {
      const version = cursor.u8();
      if (version !== 0) throw unknownVersion(cursor, "shared message index", version, "0");
      cursor.skip(1);
      const types = cursor.u16();
      cursor.skip(10);
      this.#file.address(cursor);
      const heapAddress = this.#file.address(cursor);
      if (heapAddress === undefined) continue;
      const heap = new FractalHeap(this.#file, heapAddress);
      for (let type = 0; type < 16; type++) if ((types & (1 << type)) !== 0) heaps.set(type, heap);
    }
    verifyChecksum(cursor, cursor.base, "shared message table");
    this.#heaps = heaps;
  }

  /** A cursor at the body of a header message, wherever it is kept. */
  async open(message: HeaderMessage): Promise<ByteCursor> {
    const cursor = openMessage(this.#file, message);
    return (message.flags & SHARED) === 0 ? cursor : await this.follow(cursor, message.type);
  }

  /** Reads the reference at the cursor and gives a cursor at the body of the message of type `type` that it leads to. */
  async follow(cursor: ByteCursor, type: number): Promise<ByteCursor> {
    const version = cursor.u8();
    switch (version) {
      case 1:
        cursor.skip(7 + this.#file.superblock.lengthSize);
        return await this.#inHeader(cursor, type);
      case 2:
        cursor.skip(1);
        return await this.#inHeader(cursor, type);
      case 3:
        return cursor.u8() === 1 ? await this.inHeap(cursor.take(8), cursor, type) : await this.#inHeader(cursor, type);
      default:
        throw unknownVersion(cursor, "shared message", version, "1 to 3");
    }
  }

  /** A cursor at a message of the shared message heap. `at` is where its identification was found. */
  async inHeap(identification: Uint8Array, at: ByteCursor, type: number): Promise<ByteCursor> {
    const heap = this.#heaps.get(type);
    if (heap === undefined) throw at.malformed("a message is shared, but the file has no heap for its type", `type ${type}`);
    return await heap.open(identification);
  }

  async #inHeader(cursor: ByteCursor, type: number): Promise<ByteCursor> {
    const address = this.#file.requiredAddress(cursor, "shared message");
    let header = this.#headers.get(address);
    if (header === undefined) {
      header = readObjectHeader(this.#file, address);
      this.#headers.set(address, header);
    }
    const message = findMessage(await header, type);
    if (message === undefined || (message.flags & SHARED) !== 0) {
      throw cursor.malformed(
        "a shared message is not where it should be",
        `no message of type ${type} in the header at ${address}`,
      );
    }
    return openMessage(this.#file, message);
  }
}
