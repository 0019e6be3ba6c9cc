import type { ByteCursor } from "../byte-cursor.ts";
import { verifyChecksum } from "./checksum.ts";
import { type DoublingTable, findDirectBlock, heapOffsetBytes } from "./fractal-heap-blocks.ts";
import { expectSignature, type Hdf5File, unknownVersion } from "./hdf5-file.ts";
import { readHugeObject } from "./huge-objects.ts";

/**
 * Fractal heap header (HDF5 File Format Specification, III.G).
 *
 *   signature "FRHP"              4
 *   version                       1
 *   length of identifications     2
 *   length of filter message      2
 *   flags                         1   bit 1: direct blocks have checksums
 *   largest managed object        4
 *   next huge identification      L
 *   B-tree of huge objects        O
 *   free space                    L
 *   free-space manager            O
 *   managed space                 L
 *   allocated managed space       L
 *   iterator offset               L
 *   managed objects               L
 *   huge size, huge objects       L + L
 *   tiny size, tiny objects       L + L
 *   table width                   2
 *   starting block size           L
 *   largest direct block          L
 *   heap size in bits             2
 *   starting rows                 2
 *   root block                    O
 *   rows of the root block        2   0: the root is a direct block
 *   filtered root: size L, mask 4, filter message   if there are filters
 *   checksum                      4
 *
 * Identification of an object: a byte with version (bits 6-7) and kind (bits 4-5), then
 *   managed (0): offset and length in the heap
 *   huge (1):    a key of the B-tree, or where there is room for it, address and length
 *   tiny (2):    the length less one (bits 0-3; where identifications are longer than 17 bytes, one byte more), the object
 */
export interface FractalHeapHeader {
  readonly identificationLength: number;
  readonly largestManaged: number;
  readonly hugeBtreeAddress: number | undefined;
  readonly table: DoublingTable;
}

/** One heap, whose header is read when the first object is asked for. */
export class FractalHeap {
  readonly #file: Hdf5File;
  readonly #address: number;
  readonly #blocks = new Map<number, Promise<ByteCursor>>();
  #header: Promise<FractalHeapHeader> | undefined;

  constructor(file: Hdf5File, address: number) {
    this.#file = file;
    this.#address = address;
  }

  async header(): Promise<FractalHeapHeader> {
    this.#header ??= readHeader(this.#file, this.#address);
    return await this.#header;
  }

  /** A cursor over exactly the object that an identification names. */
  async open(identification: Uint8Array): Promise<ByteCursor> {
    const header = await this.header();
    const cursor = this.#file.cursor(identification, 0);
    const head = cursor.u8();
    if (head >> 6 !== 0) throw this.#wrong("the version of a heap identification is unknown", `${head >> 6}`, "0");
    switch ((head >> 4) & 0x03) {
      case 0: {
        const offset = cursor.uint(heapOffsetBytes(header.table));
        return await this.#openManaged(header, offset, cursor.uint(lengthBytes(header)));
      }
      case 1:
        return await readHugeObject(this.#file, header, cursor);
      case 2: {
        const extended = header.identificationLength > 17;
        const length = 1 + (extended ? ((head & 0x0f) << 8) | cursor.u8() : head & 0x0f);
        return this.#file.cursor(cursor.take(length), this.#file.superblock.base + this.#address);
      }
      default:
        throw this.#wrong("the kind of a heap object is unknown", `${(head >> 4) & 0x03}`, "0 to 2");
    }
  }

  async #openManaged(header: FractalHeapHeader, offset: number, length: number): Promise<ByteCursor> {
    const block = await findDirectBlock(this.#file, header.table, offset, (address, size, indirect) =>
      this.#block(address, size, indirect),
    );
    if (offset - block.start + length > block.size) {
      throw this.#wrong("a heap object reaches over its block", `${length} bytes at ${offset}`, `a block of ${block.size} bytes`);
    }
    const at = offset - block.start;
    return this.#file.cursor(block.cursor.bytes.subarray(at, at + length), block.cursor.base + at);
  }

  /** A block, read once, with its signature checked. */
  async #block(address: number, size: number, indirect: boolean): Promise<ByteCursor> {
    let block = this.#blocks.get(address);
    if (block === undefined) {
      block = this.#file.read(address, size).then((cursor) => {
        expectSignature(cursor, indirect ? "FHIB" : "FHDB", "fractal heap block");
        const version = cursor.u8();
        if (version !== 0) throw unknownVersion(cursor, "fractal heap block", version, "0");
        return cursor;
      });
      this.#blocks.set(address, block);
    }
    return await block;
  }

  #wrong(summary: string, found: string, expected: string): Error {
    return this.#file.malformed(summary, this.#address, found, expected);
  }
}

async function readHeader(file: Hdf5File, address: number): Promise<FractalHeapHeader> {
  const { offsetSize, lengthSize } = file.superblock;
  const cursor = await file.read(address, 26 + 12 * lengthSize + 3 * offsetSize);
  expectSignature(cursor, "FRHP", "fractal heap");
  const version = cursor.u8();
  if (version !== 0) throw unknownVersion(cursor, "fractal heap", version, "0");
  const identificationLength = cursor.u16();
  const filterLength = cursor.u16();
  if (filterLength > 0) throw cursor.unsupported("a fractal heap with filters is not read");
  cursor.skip(1);
  const largestManaged = cursor.u32();
  cursor.skip(lengthSize);
  const hugeBtreeAddress = file.address(cursor);
  cursor.skip(offsetSize + lengthSize * 9);
  const width = cursor.u16();
  const startingBlockSize = file.length(cursor);
  const largestDirectBlock = file.length(cursor);
  const heapBits = cursor.u16();
  cursor.skip(2);
  const rootAddress = file.address(cursor);
  const rootRows = cursor.u16();
  if (!isPowerOf2(width) || !isPowerOf2(startingBlockSize) || !isPowerOf2(largestDirectBlock) || heapBits > 64) {
    throw cursor.malformed(
      "the block sizes of a fractal heap are impossible",
      `${width}, ${startingBlockSize}, ${largestDirectBlock}`,
    );
  }
  verifyChecksum(cursor, cursor.base, "fractal heap");
  const table = { width, startingBlockSize, largestDirectBlock, heapBits, rootAddress, rootRows };
  return { identificationLength, largestManaged, hugeBtreeAddress, table };
}

/** Lengths of managed objects have as many bytes as the largest possible one needs. */
function lengthBytes(header: FractalHeapHeader): number {
  const ofBlock = Math.ceil(Math.log2(header.table.largestDirectBlock) / 8);
  const ofObject = Math.floor(Math.log2(header.largestManaged) / 8) + 1;
  return Math.max(1, Math.min(ofBlock, ofObject));
}

function isPowerOf2(value: number): boolean {
  return value > 0 && value <= 2 ** 32 && Number.isInteger(Math.log2(value));
}
