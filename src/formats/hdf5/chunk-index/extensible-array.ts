import type { ByteCursor } from "../../byte-cursor.ts";
import { verifyChecksum } from "../checksum.ts";
import { expectSignature, type Hdf5File, unknownVersion } from "../hdf5-file.ts";
import { inFlight } from "../in-flight.ts";
import { type ArrayElements, arrayElements } from "./array-elements.ts";
import type { ChunkTable } from "./chunk-table.ts";
import type { CellOfElement } from "./linear-index.ts";

/**
 * Extensible array (HDF5 File Format Specification, VII.D), for arrays with one unlimited dimension.
 *
 * Header                             Index block                     Secondary block
 *   signature "EAHD"        4          signature "EAIB"   4            signature "EASB"    4
 *   version, client         1 + 1      version, client    1 + 1        version, client     1 + 1
 *   element size            1          header address     O            header address      O
 *   bits of a count         1          elements                        block offset        ⌈bits / 8⌉
 *   elements in index block 1          data blocks        O each       page bitmaps        of its data blocks
 *   least in data block     1          secondary blocks   O each       data blocks         O each
 *   least data block        1          checksum           4            checksum            4
 *     pointers of a
 *     secondary block                                                Data block, page
 *   page bits               1                                          signature "EADB"    4
 *   statistics              6 × L                                      version, client     1 + 1
 *   index block             O                                          header address      O
 *   checksum                4                                          block offset        ⌈bits / 8⌉
 *                                                                      elements            if there are no pages
 *                                                                      checksum            4
 *                                                                      pages: elements, checksum 4
 *
 * Secondary block n stands for 2^⌊n/2⌋ data blocks of (least × 2^⌈n/2⌉) elements. The data blocks of the first few are named in the
 * index block itself. The fifth number of the statistics is one more than the highest element that was set. A data block of more than 2^(page bits) elements has pages.
 */
export async function readExtensibleArray(
  file: Hdf5File,
  address: number,
  table: ChunkTable,
  plainLength: number,
  cellOf: CellOfElement,
): Promise<void> {
  const { offsetSize, lengthSize } = file.superblock;
  const cursor = await file.read(address, 16 + 6 * lengthSize + offsetSize);
  expectSignature(cursor, "EAHD", "extensible array");
  const version = cursor.u8();
  if (version !== 0) throw unknownVersion(cursor, "extensible array", version, "0");
  const client = cursor.u8();
  const elementSize = cursor.u8();
  const countBits = cursor.u8();
  const inIndexBlock = cursor.u8();
  const leastElements = cursor.u8();
  const leastPointers = cursor.u8();
  const perPage = 2 ** cursor.u8();
  cursor.skip(4 * lengthSize);
  const setElements = file.length(cursor);
  cursor.skip(lengthSize);
  // What the array does not count as set was never written, whatever stands there.
  const cellOfSet: CellOfElement = (element) => (element < setElements ? cellOf(element) : undefined);
  const elements = arrayElements(file, cursor, client, elementSize, table, plainLength, cellOfSet);
  const indexAddress = file.address(cursor);
  verifyChecksum(cursor, cursor.base, "extensible array");
  if (!isPowerOf2(leastElements) || !isPowerOf2(leastPointers) || countBits > 64) {
    throw cursor.malformed(
      "the parameters of an extensible array are impossible",
      `${leastElements}, ${leastPointers}, ${countBits}`,
    );
  }
  if (indexAddress === undefined) return;
  const offsetBytes = Math.ceil(countBits / 8);
  const walk = new Walk(file, elements, { perPage, offsetBytes });
  await walk.indexBlock(indexAddress, { inIndexBlock, leastElements, leastPointers, countBits });
}

interface IndexParameters {
  readonly inIndexBlock: number;
  readonly leastElements: number;
  readonly leastPointers: number;
  readonly countBits: number;
}

/** Secondary blocks that are held at once have so many bytes at most, and one block more. */
const ROUND_BYTES = 2 ** 22;

/** A data block: where it is, its first element, and how many it has. */
interface DataBlock {
  readonly address: number;
  readonly first: number;
  readonly length: number;
}

/** Stands for `count` data blocks of `length` elements. */
interface SecondaryBlock extends DataBlock {
  readonly count: number;
}

/** Elements that stand together: a data block, or a page of one. */
interface Piece {
  readonly address: number;
  readonly bytes: number;
  readonly first: number;
  readonly count: number;
  readonly isPage: boolean;
}

class Walk {
  readonly #file: Hdf5File;
  readonly #elements: ArrayElements;
  readonly #perPage: number;
  readonly #prefix: number;

  constructor(file: Hdf5File, elements: ArrayElements, sizes: { readonly perPage: number; readonly offsetBytes: number }) {
    this.#file = file;
    this.#elements = elements;
    this.#perPage = sizes.perPage;
    this.#prefix = 6 + file.superblock.offsetSize + sizes.offsetBytes;
  }

  async indexBlock(address: number, parameters: IndexParameters): Promise<void> {
    const { inIndexBlock, leastElements, leastPointers, countBits } = parameters;
    const { offsetSize } = this.#file.superblock;
    const secondaryBlocks = 1 + countBits - Math.log2(leastElements);
    const named = 2 * Math.log2(leastPointers);
    const dataPointers = 2 * (leastPointers - 1);
    const secondaryPointers = Math.max(0, secondaryBlocks - named);
    const prefix = 6 + offsetSize;
    const pointers = dataPointers + secondaryPointers;
    const block = await this.#file.read(address, prefix + inIndexBlock * this.#elements.size + pointers * offsetSize + 4);
    expectSignature(block, "EAIB", "index block of an extensible array");
    block.skip(prefix - 4);
    this.#elements.place(block, 0, inIndexBlock);
    const dataBlocks = this.#addresses(block, dataPointers);
    const secondary = this.#addresses(block, secondaryPointers);
    verifyChecksum(block, block.base, "index block of an extensible array");
    const direct: DataBlock[] = [];
    const others: SecondaryBlock[] = [];
    let first = inIndexBlock;
    let next = 0;
    for (let number = 0; number < secondaryBlocks; number++) {
      const count = 2 ** Math.floor(number / 2);
      const length = leastElements * 2 ** Math.ceil(number / 2);
      if (number < named) {
        for (const [index, at] of dataBlocks.slice(next, next + count).entries())
          if (at !== undefined) direct.push({ address: at, first: first + index * length, length });
        next += count;
      } else {
        const at = secondary[number - named];
        if (at !== undefined) others.push({ address: at, first, count, length });
      }
      first += count * length;
    }
    await this.#read(direct.map((block) => this.#whole(block)));
    // Those of one round together, so that their data blocks are asked for together.
    let round: SecondaryBlock[] = [];
    let bytes = 0;
    for (const block of others) {
      round.push(block);
      bytes += this.#bytesOf(block);
      if (bytes < ROUND_BYTES) continue;
      await this.#secondaryBlocks(round);
      round = [];
      bytes = 0;
    }
    await this.#secondaryBlocks(round);
  }

  async #secondaryBlocks(blocks: readonly SecondaryBlock[]): Promise<void> {
    const pieces: Iterable<Piece>[] = [];
    await inFlight(
      blocks,
      (block) => this.#file.read(block.address, this.#bytesOf(block)),
      (cursor, block) => {
        pieces.push(this.#piecesOf(cursor, block));
      },
    );
    await this.#read(chained(pieces));
  }

  #bytesOf({ count, length }: SecondaryBlock): number {
    return this.#prefix + count * (this.#bitmapBytes(length) + this.#file.superblock.offsetSize) + 4;
  }

  #pagesOf(length: number): number {
    return length > this.#perPage ? length / this.#perPage : 0;
  }

  #bitmapBytes(length: number): number {
    return Math.ceil(this.#pagesOf(length) / 8);
  }

  #piecesOf(block: ByteCursor, { first, count, length }: SecondaryBlock): Iterable<Piece> {
    const bitmapLength = this.#bitmapBytes(length);
    expectSignature(block, "EASB", "secondary block of an extensible array");
    block.skip(this.#prefix - 4);
    const bitmap = block.take(count * bitmapLength);
    const dataBlocks = this.#addresses(block, count).map((address, index) => ({
      address,
      first: first + index * length,
      length,
    }));
    verifyChecksum(block, block.base, "secondary block of an extensible array");
    const there = dataBlocks.filter((dataBlock): dataBlock is DataBlock => dataBlock.address !== undefined);
    if (this.#pagesOf(length) === 0) return there.map((dataBlock) => this.#whole(dataBlock));
    return chained(
      there.map((dataBlock) => {
        const index = (dataBlock.first - first) / length;
        return this.#pages(dataBlock, bitmap.subarray(index * bitmapLength, (index + 1) * bitmapLength));
      }),
    );
  }

  /** A data block without pages. */
  #whole({ address, first, length }: DataBlock): Piece {
    return { address, bytes: this.#prefix + length * this.#elements.size + 4, first, count: length, isPage: false };
  }

  *#pages({ address, first, length }: DataBlock, bitmap: Uint8Array): Generator<Piece> {
    const pageBytes = this.#perPage * this.#elements.size + 4;
    for (let page = 0; page < this.#pagesOf(length); page++) {
      // A page that was never written holds nothing, not even undefined addresses.
      if (((bitmap[page >> 3] as number) & (0x80 >> (page & 7))) === 0) continue;
      const at = address + this.#prefix + 4 + page * pageBytes;
      yield { address: at, bytes: pageBytes, first: first + page * this.#perPage, count: this.#perPage, isPage: true };
    }
  }

  async #read(pieces: Iterable<Piece>): Promise<void> {
    await inFlight(
      pieces,
      ({ address, bytes }) => this.#file.read(address, bytes),
      (cursor, { first, count, isPage }) => {
        if (!isPage) {
          expectSignature(cursor, "EADB", "data block of an extensible array");
          cursor.skip(this.#prefix - 4);
        }
        this.#elements.place(cursor, first, count);
        verifyChecksum(cursor, cursor.base, `${isPage ? "page" : "data block"} of an extensible array`);
      },
    );
  }

  #addresses(cursor: ByteCursor, count: number): (number | undefined)[] {
    return Array.from({ length: count }, () => this.#file.address(cursor));
  }
}

function* chained<Item>(parts: Iterable<Iterable<Item>>): Generator<Item> {
  for (const part of parts) yield* part;
}

function isPowerOf2(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}
