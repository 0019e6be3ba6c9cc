import { FreshetError } from "../errors/index.ts";

/** Reads bits from bytes, the highest bit of each byte first. `what` names in errors whose bits they are. */
export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #at = 0;
  /** Bits of the byte before `#at` that are not read yet. */
  #left = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  /** The next `count` bits (0 to 53) as an unsigned number, its highest bit first. @throws FreshetError `malformed` behind the end. */
  bits(count: number): number {
    let value = 0;
    let wanted = count;
    while (wanted > 0) {
      if (this.#left === 0) this.#nextByte();
      const taken = Math.min(wanted, this.#left);
      this.#left -= taken;
      wanted -= taken;
      value = value * 2 ** taken + (((this.#bytes[this.#at - 1] as number) >>> this.#left) & ((1 << taken) - 1));
    }
    return value;
  }

  /** How many zeros stand before the next one, which is read too. @throws FreshetError `malformed` behind the end. */
  zeros(): number {
    let zeros = 0;
    for (;;) {
      if (this.#left === 0) this.#nextByte();
      const rest = (this.#bytes[this.#at - 1] as number) & ((1 << this.#left) - 1);
      if (rest !== 0) {
        const before = Math.clz32(rest) - (32 - this.#left);
        this.#left -= before + 1;
        return zeros + before;
      }
      zeros += this.#left;
      this.#left = 0;
    }
  }

  #nextByte(): void {
    if (this.#at >= this.#bytes.length) throw new FreshetError("malformed", `${this.#what} end too early`);
    this.#at++;
    this.#left = 8;
  }
}
