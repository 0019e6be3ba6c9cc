/**
 * Pieces put together as they come: kept until all are there, short-lived garbage would become long-lived, which costs more than its copying.
 */
export class GatheredBytes {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** @param expected bytes, most often right; NaN or 0 where nobody knows. */
  constructor(expected: number) {
    this.#bytes = withRoom(Number.isSafeInteger(expected) ? expected : 0);
  }

  /** Bytes that are there. */
  get length(): number {
    return this.#length;
  }

  add(piece: Uint8Array): void {
    const needed = this.#length + piece.length;
    if (needed > this.#bytes.length) {
      const larger = withRoom(Math.max(needed, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = needed;
  }

  /** All of them, alone in their buffer. Nothing may be added afterwards. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#length === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, this.#length);
  }
}

/** Every byte of it that is given away has been written. */
function withRoom(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer as ArrayBuffer);
}
