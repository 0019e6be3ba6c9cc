import type { RangeReader } from "../storage/index.ts";

/** What is remembered at most; the oldest reads go first. */
const MOST_BYTES = 32 * 1024 * 1024;

/**
 * A source that answers again, without asking, for bytes that it has delivered: a scan through it leaves the metadata there for
 * who comes after. Counts what it does ask.
 */
export class RememberedReads implements RangeReader {
  readonly uri: string;
  readonly size: number;
  readonly identity: RangeReader["identity"];
  readonly isWithoutRanges?: boolean;
  readonly #reader: RangeReader;
  readonly #mostBytes: number;
  /** By offset; of two reads from one offset the longer. Oldest first. */
  readonly #pieces = new Map<number, Uint8Array>();
  #remembered = 0;
  #requests = 0;
  #bytes = 0;

  constructor(reader: RangeReader, mostBytes: number = MOST_BYTES) {
    this.uri = reader.uri;
    this.size = reader.size;
    this.identity = reader.identity;
    if (reader.isWithoutRanges !== undefined) this.isWithoutRanges = reader.isWithoutRanges;
    this.#reader = reader;
    this.#mostBytes = mostBytes;
  }

  /** Reads of the source behind, successful or not. */
  get requests(): number {
    return this.#requests;
  }

  /** Bytes that they delivered. */
  get bytes(): number {
    return this.#bytes;
  }

  /** True when a read of these bytes asks nobody. */
  has(offset: number, length: number): boolean {
    return this.#piecesOf(offset, length) !== undefined;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const known = this.#piecesOf(offset, length);
    if (known !== undefined) return joined(known, offset, length);
    this.#requests++;
    const bytes = await this.#reader.read(offset, length, signal);
    this.#bytes += bytes.length;
    this.#remember(offset, bytes);
    // A copy: who reads may write into what it got.
    return bytes.slice();
  }

  close(): Promise<void> {
    this.#pieces.clear();
    this.#remembered = 0;
    return this.#reader.close();
  }

  #remember(offset: number, bytes: Uint8Array): void {
    const before = this.#pieces.get(offset);
    if (bytes.length > this.#mostBytes / 2 || (before !== undefined && before.length >= bytes.length)) return;
    this.#pieces.delete(offset);
    this.#pieces.set(offset, bytes);
    this.#remembered += bytes.length - (before?.length ?? 0);
    for (const [oldest, piece] of this.#pieces) {
      if (this.#remembered <= this.#mostBytes) return;
      this.#pieces.delete(oldest);
      this.#remembered -= piece.length;
    }
  }

  /** Pieces that cover the bytes, in their order. */
  #piecesOf(offset: number, length: number): [start: number, piece: Uint8Array][] | undefined {
    const cover: [number, Uint8Array][] = [];
    const end = offset + length;
    for (let at = offset; at < end; ) {
      let best: [number, Uint8Array] | undefined;
      for (const [start, piece] of this.#pieces) {
        if (start > at || start + piece.length <= at) continue;
        if (best === undefined || start + piece.length > best[0] + best[1].length) best = [start, piece];
      }
      if (best === undefined) return undefined;
      cover.push(best);
      at = best[0] + best[1].length;
    }
    return cover;
  }
}

function joined(pieces: readonly (readonly [start: number, piece: Uint8Array])[], offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let filled = 0;
  for (const [start, piece] of pieces) {
    const from = offset + filled - start;
    const part = piece.subarray(from, from + length - filled);
    bytes.set(part, filled);
    filled += part.length;
  }
  return bytes;
}
