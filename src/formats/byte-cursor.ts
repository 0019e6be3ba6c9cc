import { FreshetError } from "../errors/index.ts";

/**
 * A bounds-checked walk over bytes that knows where in the file it is. Parsers read through it, never through a DataView:
 * the error of a short structure then says at which byte of which file.
 */
export class ByteCursor {
  readonly bytes: Uint8Array;
  /** Absolute offset in the file of `bytes[0]`. */
  readonly base: number;
  readonly endian: "little" | "big";
  readonly #uri: string;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array, options: { readonly uri: string; readonly base?: number; readonly endian: "little" | "big" }) {
    this.bytes = bytes;
    this.base = options.base ?? 0;
    this.endian = options.endian;
    this.#uri = options.uri;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Absolute position in the file of the next byte. */
  get position(): number {
    return this.base + this.#at;
  }

  get remaining(): number {
    return this.bytes.length - this.#at;
  }

  /** Steps over `length` bytes (0 or more). */
  skip(length: number): void {
    this.#take(length);
  }

  /** Goes to an absolute position in the file, which must lie inside the bytes at hand (its end included). */
  seek(position: number): void {
    const at = position - this.base;
    if (at < 0 || at > this.bytes.length) this.#short(at - this.bytes.length);
    this.#at = at;
  }

  /** A view (no copy) of the next `length` bytes. */
  take(length: number): Uint8Array {
    const at = this.#take(length);
    return this.bytes.subarray(at, at + length);
  }

  /** A view (no copy) of the bytes up to the next NUL, and steps over it. @throws FreshetError `truncated` when there is none. */
  untilNul(): Uint8Array {
    const end = this.bytes.indexOf(0, this.#at);
    if (end < 0) this.#short(1);
    const found = this.bytes.subarray(this.#at, end);
    this.#at = end + 1;
    return found;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  i8(): number {
    return this.#view.getInt8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), this.endian === "little");
  }

  i16(): number {
    return this.#view.getInt16(this.#take(2), this.endian === "little");
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), this.endian === "little");
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4), this.endian === "little");
  }

  f32(): number {
    return this.#view.getFloat32(this.#take(4), this.endian === "little");
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), this.endian === "little");
  }

  bigU64(): bigint {
    return this.#view.getBigUint64(this.#take(8), this.endian === "little");
  }

  bigI64(): bigint {
    return this.#view.getBigInt64(this.#take(8), this.endian === "little");
  }

  /** A 64-bit unsigned integer as a number. @throws FreshetError `malformed` beyond 2^53 - 1. */
  u64(): number {
    const at = this.#take(8);
    const little = this.endian === "little";
    // Two halves rather than a bigint: chunk indexes read one of these per chunk and dimension.
    const value =
      this.#view.getUint32(little ? at + 4 : at, little) * 0x1_0000_0000 + this.#view.getUint32(little ? at : at + 4, little);
    if (value > Number.MAX_SAFE_INTEGER) {
      this.#at = at;
      const found = this.bigU64();
      this.#at = at;
      throw this.malformed("a 64-bit count is too large", `${found}`, "at most 2^53 - 1");
    }
    return value;
  }

  /** An unsigned integer of 1 to 8 bytes. Beyond 2^53 - 1 it is `malformed`. */
  uint(width: number): number {
    switch (width) {
      case 1:
        return this.u8();
      case 2:
        return this.u16();
      case 4:
        return this.u32();
      case 8:
        return this.u64();
      default: {
        const bytes = this.take(width);
        let value = 0;
        for (let index = 0; index < width; index++) {
          value = value * 256 + (bytes[this.endian === "little" ? width - 1 - index : index] as number);
        }
        if (!Number.isSafeInteger(value)) throw this.malformed("a count is too large", `${value}`, "at most 2^53 - 1");
        return value;
      }
    }
  }

  /** A `malformed` error at the present position. */
  malformed(summary: string, found?: string, expected?: string): FreshetError {
    return new FreshetError("malformed", summary, { found, expected, uri: this.#uri, offset: this.position });
  }

  /** An `unsupported` error at the present position. */
  unsupported(summary: string, found?: string, expected?: string): FreshetError {
    return new FreshetError("unsupported", summary, { found, expected, uri: this.#uri, offset: this.position });
  }

  #take(length: number): number {
    const at = this.#at;
    if (!(length >= 0) || at + length > this.bytes.length) this.#short(at + length - this.bytes.length);
    this.#at = at + length;
    return at;
  }

  #short(missing: number): never {
    throw new FreshetError("truncated", "a structure ends too early", {
      found: `${this.remaining} bytes`,
      expected: `${missing} more`,
      uri: this.#uri,
      offset: this.position,
      remedy: "Fetch the file again; if it stays so, the producer's copy is damaged",
    });
  }
}
