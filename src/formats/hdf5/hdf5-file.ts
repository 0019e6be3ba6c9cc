import { FreshetError } from "../../errors/index.ts";
import type { RangeReader } from "../../storage/range-reader.ts";
import type { Endian } from "../../virtual/index.ts";
import { ByteCursor } from "../byte-cursor.ts";
import { MAX_CELLS, MAX_INLINED_BYTES, readBudget } from "./limits.ts";
import type { Superblock } from "./superblock.ts";

/**
 * The bytes of one file by HDF5 address, with the field widths that the superblock declares and a count of what the scan has
 * used up. Addresses count from the superblock's base; the cursors given out know absolute positions.
 */
export class Hdf5File {
  readonly uri: string;
  readonly superblock: Superblock;
  readonly signal: AbortSignal | undefined;
  readonly #reader: RangeReader;
  #bytesLeft: number;
  #cellsLeft = MAX_CELLS;
  #inlinedBytesLeft = MAX_INLINED_BYTES;

  constructor(reader: RangeReader, superblock: Superblock, signal?: AbortSignal) {
    this.#reader = reader;
    this.uri = reader.uri;
    this.superblock = superblock;
    this.signal = signal;
    this.#bytesLeft = readBudget(reader.size);
  }

  /** The first address behind the file. */
  get end(): number {
    return this.#reader.size - this.superblock.base;
  }

  /** Exactly `length` bytes from `address`. @throws FreshetError `truncated` when they are not all in the file. */
  async read(address: number, length: number): Promise<ByteCursor> {
    this.requireInside(address, length);
    this.signal?.throwIfAborted();
    this.#bytesLeft -= length;
    if (this.#bytesLeft < 0) {
      throw this.malformed("the file's structures lead in circles: the scan has read it more than 16 times over", address);
    }
    const position = this.superblock.base + address;
    return this.cursor(await this.#reader.read(position, length, this.signal), position);
  }

  /** At least `least` and, where the file is long enough, `guess` bytes from `address`: for structures that say how long they are. */
  async readGuess(address: number, least: number, guess: number): Promise<ByteCursor> {
    return await this.read(address, Math.max(least, Math.min(guess, this.end - address)));
  }

  /** A cursor over bytes that were read from the absolute `position`. Structures are little-endian, values need not be. */
  cursor(bytes: Uint8Array, position: number, endian: Endian = "little"): ByteCursor {
    return new ByteCursor(bytes, { uri: this.uri, base: position, endian });
  }

  /** @throws FreshetError `truncated` unless the file holds `length` bytes from `address`. */
  requireInside(address: number, length: number): void {
    if (address + length <= this.end) return;
    throw new FreshetError("truncated", "an address leads beyond the end of the file", {
      found: `${length} bytes at ${this.superblock.base + address}`,
      expected: `an end at or before ${this.#reader.size}`,
      uri: this.uri,
    });
  }

  /** Reads an address; undefined for the format's "undefined address". */
  address(cursor: ByteCursor): number | undefined {
    return readUnlessOnes(cursor, this.superblock.offsetSize);
  }

  /** Reads an address that has to be there. `what` names it in the error. */
  requiredAddress(cursor: ByteCursor, what: string): number {
    const address = this.address(cursor);
    if (address === undefined) throw cursor.malformed(`the address of the ${what} is undefined`);
    return address;
  }

  /** Reads a length. */
  length(cursor: ByteCursor): number {
    return cursor.uint(this.superblock.lengthSize);
  }

  /** Reads a length; undefined for the format's "unlimited". */
  lengthOrUnlimited(cursor: ByteCursor): number | undefined {
    return readUnlessOnes(cursor, this.superblock.lengthSize);
  }

  /** Takes the cells of one more chunk grid out of the file's allowance. */
  claimCells(cells: number): void {
    if (cells > this.#cellsLeft) {
      throw new FreshetError("unsupported", "too many chunks", {
        found: `a grid of ${cells}`,
        expected: `at most ${MAX_CELLS} in one file`,
        uri: this.uri,
      });
    }
    this.#cellsLeft -= cells;
  }

  /** Takes bytes that are inlined out of the file's allowance. */
  claimInlined(bytes: number): void {
    if (bytes > this.#inlinedBytesLeft) {
      throw new FreshetError("unsupported", "too many bytes to inline", {
        found: `${bytes} beside those of other variables`,
        expected: `at most ${MAX_INLINED_BYTES} in one file`,
        uri: this.uri,
      });
    }
    this.#inlinedBytesLeft -= bytes;
  }

  /** A `malformed` error at an address. */
  malformed(summary: string, address: number, found?: string, expected?: string): FreshetError {
    return new FreshetError("malformed", summary, {
      found,
      expected,
      uri: this.uri,
      offset: this.superblock.base + address,
    });
  }
}

/** Checks the four letters that a structure begins with. */
export function expectSignature(cursor: ByteCursor, signature: string, structure: string): void {
  const at = cursor.position;
  const found = String.fromCharCode(...cursor.take(4));
  if (found === signature) return;
  cursor.seek(at);
  throw cursor.malformed(`no ${structure} where one should be`, JSON.stringify(found), JSON.stringify(signature));
}

/** An `unsupported` error about the version byte just read. */
export function unknownVersion(cursor: ByteCursor, structure: string, found: number, expected: string): FreshetError {
  return cursor.unsupported(`the version of the ${structure} is unknown`, `${found}`, expected);
}

function readUnlessOnes(cursor: ByteCursor, width: number): number | undefined {
  const at = cursor.position;
  if (width === 8) {
    const low = cursor.u32();
    const high = cursor.u32();
    if (low === 0xffff_ffff && high === 0xffff_ffff) return undefined;
    if (high < 2 ** 21) return high * 2 ** 32 + low;
    // Beyond 2^53: for the error.
    cursor.seek(at);
    return cursor.u64();
  }
  const value = cursor.uint(width);
  return value === 256 ** width - 1 ? undefined : value;
}
