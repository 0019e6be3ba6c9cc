import { requireInside } from "./file-reader.ts";
import type { RangeReader } from "./range-reader.ts";

export interface BlockCacheOptions {
  /** The source is read in blocks of this many bytes, at multiples of it. */
  readonly blockBytes?: number;
  /** Bytes of blocks that are kept; the one not used for longest goes first. A read of more than half of it bypasses the cache. */
  readonly maxBytes?: number;
}

/** At 20 ms a request and 50 MB/s, reading this much takes about as long as asking for it. */
const BLOCK_BYTES = 256 * 1024;
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * The same source, read in aligned blocks that are kept: parsers ask for many small things that lie close together. Missing
 * blocks that are neighbours are fetched by one read, and a block that is on its way is not asked for twice.
 */
export function withBlockCache(reader: RangeReader, options: BlockCacheOptions = {}): RangeReader {
  return new BlockCache(reader, options.blockBytes ?? BLOCK_BYTES, options.maxBytes ?? MAX_BYTES);
}

class BlockCache implements RangeReader {
  readonly uri: string;
  readonly size: number;
  readonly identity: RangeReader["identity"];
  readonly #reader: RangeReader;
  readonly #blockBytes: number;
  readonly #maxBytes: number;
  /** By block number, least recently used first. */
  readonly #blocks = new Map<number, Promise<Uint8Array>>();

  constructor(reader: RangeReader, blockBytes: number, maxBytes: number) {
    this.uri = reader.uri;
    this.size = reader.size;
    this.identity = reader.identity;
    this.#reader = reader;
    this.#blockBytes = blockBytes;
    this.#maxBytes = maxBytes;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    requireInside(this, offset, length);
    signal?.throwIfAborted();
    if (length === 0) return new Uint8Array(0);
    if (length > this.#maxBytes / 2) return this.#reader.read(offset, length, signal);
    const first = Math.floor(offset / this.#blockBytes);
    const last = Math.floor((offset + length - 1) / this.#blockBytes);
    this.#fetchMissing(first, last, signal);
    const pending: Promise<Uint8Array>[] = [];
    for (let block = first; block <= last; block++) pending.push(this.#use(block));
    const blocks = await Promise.all(pending);
    this.#evict();
    const start = offset - first * this.#blockBytes;
    const [only] = blocks;
    if (only !== undefined && blocks.length === 1) return only.subarray(start, start + length);
    const joined = new Uint8Array(length);
    let at = -start;
    for (const block of blocks) {
      joined.set(at < 0 ? block.subarray(-at) : block.subarray(0, length - at), Math.max(at, 0));
      at += block.length;
    }
    return joined;
  }

  close(): Promise<void> {
    this.#blocks.clear();
    return this.#reader.close();
  }

  #fetchMissing(first: number, last: number, signal: AbortSignal | undefined): void {
    let from: number | undefined;
    for (let block = first; block <= last + 1; block++) {
      const missing = block <= last && !this.#blocks.has(block);
      if (missing) from ??= block;
      else if (from !== undefined) {
        this.#fetch(from, block - 1, signal);
        from = undefined;
      }
    }
  }

  #fetch(first: number, last: number, signal: AbortSignal | undefined): void {
    const offset = first * this.#blockBytes;
    const run = this.#reader.read(offset, Math.min((last + 1) * this.#blockBytes, this.size) - offset, signal);
    for (let block = first; block <= last; block++) {
      const start = (block - first) * this.#blockBytes;
      // A copy, so that evicting one block of a long run frees its memory.
      const own = first === last ? run : run.then((bytes) => bytes.slice(start, start + this.#blockBytes));
      this.#blocks.set(block, own);
      own.catch(() => {
        if (this.#blocks.get(block) === own) this.#blocks.delete(block);
      });
    }
  }

  #use(block: number): Promise<Uint8Array> {
    const bytes = this.#blocks.get(block) as Promise<Uint8Array>;
    this.#blocks.delete(block);
    this.#blocks.set(block, bytes);
    return bytes;
  }

  #evict(): void {
    const keep = Math.max(1, Math.floor(this.#maxBytes / this.#blockBytes));
    for (const block of this.#blocks.keys()) {
      if (this.#blocks.size <= keep) return;
      this.#blocks.delete(block);
    }
  }
}
