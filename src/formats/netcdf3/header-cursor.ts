import { FreshetError } from "../../errors/index.ts";
import { ByteCursor } from "../byte-cursor.ts";
import { type NcType, ncTypeBytes, ncTypeOf, readNumbers } from "./nc-type.ts";

/** Thrown, and caught inside this room, when the header goes on behind the bytes at hand but inside the file. */
export class MoreBytesNeeded {
  /** The header is at least this long. */
  readonly length: number;
  constructor(length: number) {
    this.length = length;
  }
}

/** The tags that open the three lists of a header; ABSENT may stand for any of them. */
export const LIST_TAGS = { ABSENT: 0, NC_DIMENSION: 10, NC_VARIABLE: 11, NC_ATTRIBUTE: 12 } as const;

/**
 * The primitives of a header (NetCDF Classic Format Specification, "The Format in Detail"), big-endian:
 *
 *     NON_NEG   4 bytes in CDF-1 and CDF-2, 8 in CDF-5   a signed integer, at least 0
 *     OFFSET    4 bytes in CDF-1, 8 in CDF-2 and CDF-5   a signed integer
 *     name      NON_NEG length, then UTF-8 padded to a multiple of 4
 *     list      4 bytes tag, NON_NEG count, then `count` elements; tag 0 and count 0 for an absent one
 */
export class HeaderCursor {
  readonly version: 1 | 2 | 5;
  readonly #cursor: ByteCursor;
  readonly #fileSize: number;
  readonly #uri: string;

  /** `bytes` is the beginning of a file of `fileSize` bytes. */
  constructor(bytes: Uint8Array, options: { readonly uri: string; readonly fileSize: number; readonly version: 1 | 2 | 5 }) {
    this.version = options.version;
    this.#cursor = new ByteCursor(bytes, { uri: options.uri, endian: "big" });
    this.#fileSize = options.fileSize;
    this.#uri = options.uri;
  }

  get position(): number {
    return this.#cursor.position;
  }

  skip(length: number): void {
    this.take(length);
  }

  take(length: number): Uint8Array {
    this.#need(length, "a field of the header");
    return this.#cursor.take(length);
  }

  numbers(type: Exclude<NcType, "char">, count: number): number[] | bigint[] {
    this.#need(count * ncTypeBytes(type), "the values of an attribute");
    return readNumbers(this.#cursor, type, count);
  }

  /** A count or length. `what` names it in the error: "the length of dimension x". */
  nonNegative(what: string): number {
    const value = this.#signed(this.version === 5 ? 8 : 4);
    if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) return Number(value);
    throw this.malformed(`${what} is out of range`, `${value}`, "0 to 2^53 - 1");
  }

  /** Number of records; "streaming" for all ones: its writer did not come back to fill it in. */
  recordCount(): number | "streaming" {
    const width = this.version === 5 ? 8 : 4;
    if (this.#signed(width) === -1n) return "streaming";
    this.#cursor.seek(this.position - width);
    return this.nonNegative("the number of records");
  }

  /** An absolute file offset, possibly negative: it matters to one variable only. */
  offset(): number {
    return Number(this.#signed(this.version === 1 ? 4 : 8));
  }

  name(what: string): string {
    const length = this.nonNegative(`the length of ${what}`);
    this.#need(length, what);
    const bytes = this.take(length);
    this.skipPadding(length);
    // Some writers count terminating NULs; the C library takes what stands before the first.
    const end = bytes.indexOf(0);
    return decodeText(end < 0 ? bytes : bytes.subarray(0, end));
  }

  ncType(what: string): NcType {
    this.#need(4, what);
    const code = this.#cursor.u32();
    const type = ncTypeOf(code, this.version);
    if (type !== undefined) return type;
    throw this.malformed(`${what} has an unknown type`, `${code}`, this.version === 5 ? "1 to 11" : "1 to 6");
  }

  /** The number of elements of a list, each of which takes at least `elementBytes`. */
  list(tag: number, what: string, elementBytes: number): number {
    this.#need(4, what);
    const found = this.#cursor.u32();
    if (found !== tag && found !== LIST_TAGS.ABSENT)
      throw this.malformed(`${what} begins with a wrong tag`, `${found}`, `${tag}, or 0 for none`);
    const count = this.nonNegative(`the length of ${what}`);
    if (found === LIST_TAGS.ABSENT && count !== 0)
      throw this.malformed(`${what} is marked absent, but not empty`, `${count} elements`, "0");
    this.fits(count, elementBytes, what);
    return count;
  }

  /** Steps over what fills `length` bytes up to a multiple of 4. */
  skipPadding(length: number): void {
    this.skip((4 - (length % 4)) % 4);
  }

  /** @throws FreshetError `truncated` if `count` elements of `elementBytes` do not fit into the rest of the file. */
  fits(count: number, elementBytes: number, what: string): void {
    const rest = this.#fileSize - this.position;
    if (count * elementBytes <= rest) return;
    throw new FreshetError("truncated", `${what} does not fit into the file`, {
      found: `${rest} bytes to its end`,
      expected: `at least ${count * elementBytes}`,
      uri: this.#uri,
      offset: this.position,
      remedy: "Fetch the file again; if it stays so, the producer's copy is damaged",
    });
  }

  malformed(summary: string, found?: string, expected?: string): FreshetError {
    return this.#cursor.malformed(summary, found, expected);
  }

  #signed(width: 4 | 8): bigint {
    this.#need(width, "a number of the header");
    return width === 4 ? BigInt(this.#cursor.i32()) : this.#cursor.bigI64();
  }

  #need(length: number, what: string): void {
    this.fits(length, 1, what);
    if (length > this.#cursor.remaining) throw new MoreBytesNeeded(this.position + length);
  }
}

/** UTF-8; what is not UTF-8 comes from before 2008, when names and attributes were Latin-1 in practice. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  }
}
