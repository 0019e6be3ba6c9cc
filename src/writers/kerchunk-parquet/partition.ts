import type { ChunkReference } from "../../virtual/index.ts";

const NO_URI = 0xffff_ffff;

/** The references of `records` cells of one array, in columns. Cells that nobody sets are missing. */
export class Partition {
  readonly records: number;
  readonly #uris: string[] = [];
  readonly #indexOf = new Map<string, number>();
  readonly #uri: Uint32Array;
  readonly #offset: Float64Array;
  readonly #length: Float64Array;
  readonly #inlined = new Map<number, Uint8Array>();
  #filled = 0;

  constructor(records: number) {
    this.records = records;
    this.#uri = new Uint32Array(records).fill(NO_URI);
    this.#offset = new Float64Array(records);
    this.#length = new Float64Array(records);
  }

  /** Cells that are not missing. */
  get filled(): number {
    return this.#filled;
  }

  /** @param row in [0, records). */
  at(row: number): ChunkReference {
    const bytes = this.#inlined.get(row);
    if (bytes !== undefined) return { kind: "inline", bytes };
    const uri = this.#uris[this.#uri[row] as number];
    if (uri === undefined) return { kind: "missing" };
    return { kind: "range", uri, offset: this.#offset[row] as number, length: this.#length[row] as number };
  }

  set(row: number, reference: ChunkReference): void {
    if (this.#uri[row] !== NO_URI || this.#inlined.has(row)) this.#filled--;
    this.#inlined.delete(row);
    this.#uri[row] = NO_URI;
    this.#offset[row] = 0;
    this.#length[row] = 0;
    if (reference.kind === "missing") return;
    this.#filled++;
    if (reference.kind === "inline") {
      this.#inlined.set(row, reference.bytes);
      return;
    }
    this.#uri[row] = this.#indexOfUri(reference.uri);
    this.#offset[row] = reference.offset;
    this.#length[row] = reference.length;
  }

  #indexOfUri(uri: string): number {
    const known = this.#indexOf.get(uri);
    if (known !== undefined) return known;
    const index = this.#uris.push(uri) - 1;
    this.#indexOf.set(uri, index);
    return index;
  }
}
