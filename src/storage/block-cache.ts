import { requireInside } from "./file-reader.ts";
import type { RangeReader } from "./range-reader.ts";

export interface BlockCacheOptions {
  /** The source is read in blocks of this many bytes, at multiples of it. */
  readonly blockBytes?: number;
  /** Bytes of blocks that are kept; the one not used for longest goes first. A read of more than half of it bypasses the cache. */
  readonly maxBytes?: number;
  /** What the first read of the source brings at least, from its beginning on. Default: one block. */
  readonly firstBytes?: number;
  /** Missing blocks with at most so many bytes between them are fetched by one read, and what lies between is kept too. Default 0. */
  readonly gapBytes?: number;
  /**
   * A read that goes on where an earlier one ended brings up to twice as much as that, and after a few fetches every read more than it
   * has to, as far as there is credit: so many bytes at first, less by what is read ahead, and more by twice of that which is then
   * asked for. Default 0: nothing is read ahead.
   */
  readonly aheadBytes?: number;
  /** A source of no more than this is fetched to its end as soon as its beginning is not enough. Default 0. */
  readonly wholeBytes?: number;
}

/** The source through a cache. */
export interface CachedReader extends RangeReader {
  /** The blocks that somebody asked for, by offset, ascending; the last one of a source may be shorter. */
  usedBlocks(): readonly { readonly offset: number; readonly length: number }[];
}

const BLOCK_BYTES = 256 * 1024;
const MAX_BYTES = 64 * 1024 * 1024;
/** One read is no longer than this: what is far behind the block that somebody waits for would keep him waiting. */
const RUN_BYTES = 8 * 1024 * 1024;
/** Credit for reading ahead does not grow beyond: a long index that suddenly ends has cost this much. */
const MOST_AHEAD_BYTES = 2 * 1024 * 1024;
/** After so many fetches an index is long, or all over the source: what reading ahead has earned then goes to every read. */
const MANY_FETCHES = 5;
/** A parser that finds everything in the cache would otherwise keep the event loop to itself for as long as that lasts. */
const TURN_MS = 8;

/**
 * The same source, read in aligned blocks that are kept: parsers ask for many small things that lie close together. What is asked
 * for at the same time is looked at together: missing blocks that are neighbours, or nearly, are fetched by one read, and a block
 * that is on its way is not asked for twice. Now and then a read waits for a turn of the event loop.
 */
export function withBlockCache(reader: RangeReader, options: BlockCacheOptions = {}): CachedReader {
  return new BlockCache(reader, options);
}

class BlockCache implements CachedReader {
  readonly uri: string;
  readonly size: number;
  readonly identity: RangeReader["identity"];
  readonly #reader: RangeReader;
  readonly #blockBytes: number;
  readonly #keptBlocks: number;
  readonly #maxBytes: number;
  readonly #gapBlocks: number;
  /** Blocks that the first read brings. */
  #firstBlocks: number;
  /** By block number, least recently used first. */
  readonly #blocks = new Map<number, Uint8Array | Promise<Uint8Array>>();
  readonly #used = new Set<number>();
  /** Blocks that were read ahead and that nobody has asked for. */
  readonly #ahead = new Set<number>();
  /** Block behind a fetched run → blocks of the run. */
  readonly #runEnds = new Map<number, number>();
  /** Whether all the rest is fetched when more than the beginning is asked for. */
  readonly #isSmall: boolean;
  #fetches = 0;
  /** Blocks that may still be read ahead. */
  #credit: number;
  /** Blocks that the next flush asks for, and who waits for them. */
  #wanted = new Map<number, PromiseWithResolvers<Uint8Array>>();
  #signal: AbortSignal | undefined;
  #turnBegan = performance.now();
  #nextTurn: Promise<void> | undefined;

  constructor(reader: RangeReader, options: BlockCacheOptions) {
    const {
      blockBytes = BLOCK_BYTES,
      maxBytes = MAX_BYTES,
      firstBytes = 0,
      gapBytes = 0,
      aheadBytes = 0,
      wholeBytes = 0,
    } = options;
    this.uri = reader.uri;
    this.size = reader.size;
    this.identity = reader.identity;
    this.#reader = reader;
    this.#blockBytes = blockBytes;
    this.#maxBytes = maxBytes;
    this.#keptBlocks = Math.max(1, Math.floor(maxBytes / blockBytes));
    this.#gapBlocks = Math.floor(gapBytes / blockBytes);
    this.#isSmall = reader.size <= wholeBytes;
    this.#credit = Math.floor(aheadBytes / blockBytes);
    this.#firstBlocks = Math.min(this.#keptBlocks, Math.ceil(firstBytes / blockBytes));
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    requireInside(this, offset, length);
    signal?.throwIfAborted();
    if (length === 0) return new Uint8Array(0);
    if (length > this.#maxBytes / 2) return this.#reader.read(offset, length, signal);
    if (performance.now() - this.#turnBegan > TURN_MS) await this.#turn();
    const first = Math.floor(offset / this.#blockBytes);
    const last = Math.floor((offset + length - 1) / this.#blockBytes);
    const start = offset - first * this.#blockBytes;
    if (first === last) {
      const only = this.#block(first, signal);
      const block = only instanceof Uint8Array ? only : await only;
      return block.subarray(start, start + length);
    }
    const pending: (Uint8Array | Promise<Uint8Array>)[] = [];
    for (let block = first; block <= last; block++) pending.push(this.#block(block, signal));
    const joined = new Uint8Array(length);
    let at = -start;
    for (const block of await Promise.all(pending)) {
      joined.set(at < 0 ? block.subarray(-at) : block.subarray(0, length - at), Math.max(at, 0));
      at += block.length;
    }
    return joined;
  }

  usedBlocks(): { readonly offset: number; readonly length: number }[] {
    return [...this.#used]
      .sort((a, b) => a - b)
      .map((block) => ({ offset: block * this.#blockBytes, length: this.#endOf(block) - block * this.#blockBytes }));
  }

  close(): Promise<void> {
    this.#blocks.clear();
    return this.#reader.close();
  }

  #endOf(block: number): number {
    return Math.min((block + 1) * this.#blockBytes, this.size);
  }

  #block(block: number, signal: AbortSignal | undefined): Uint8Array | Promise<Uint8Array> {
    this.#used.add(block);
    if (this.#ahead.delete(block)) this.#credit = Math.min(this.#credit + 2, Math.floor(MOST_AHEAD_BYTES / this.#blockBytes));
    const known = this.#blocks.get(block);
    if (known !== undefined) {
      this.#blocks.delete(block);
      this.#blocks.set(block, known);
      return known;
    }
    // Everything that is asked for before the event loop turns is fetched together.
    if (this.#wanted.size === 0) setImmediate(() => this.#flush());
    this.#signal = signal;
    return this.#want(block);
  }

  #want(block: number): Promise<Uint8Array> {
    const waiting = Promise.withResolvers<Uint8Array>();
    this.#wanted.set(block, waiting);
    this.#blocks.set(block, waiting.promise);
    waiting.promise.then(
      (bytes) => {
        if (this.#blocks.has(block)) this.#blocks.set(block, bytes);
        this.#evict();
      },
      () => this.#blocks.delete(block),
    );
    return waiting.promise;
  }

  #flush(): void {
    this.#turnBegan = performance.now();
    if (this.#wanted.has(0)) for (let block = 1; block < this.#firstBlocks; block++) this.#also(block);
    this.#firstBlocks = 0;
    if (this.#isSmall && !this.#wanted.has(0))
      for (let block = 1; block * this.#blockBytes < this.size; block++) this.#also(block);
    const blocks = [...this.#wanted.keys()].sort((a, b) => a - b);
    const waiting = this.#wanted;
    const longest = Math.max(1, Math.floor(RUN_BYTES / this.#blockBytes));
    let first = blocks[0] as number;
    let last = first;
    const runs: [first: number, last: number][] = [];
    for (const block of blocks.slice(1)) {
      const isNear = block - last - 1 <= this.#gapBlocks && block - first < longest && this.#isFree(last + 1, block);
      if (!isNear) {
        runs.push([first, last]);
        first = block;
      }
      last = block;
    }
    runs.push([first, last]);
    const share = ++this.#fetches < MANY_FETCHES ? 0 : Math.floor(this.#credit / runs.length);
    const longer = runs.map(([from, to]) => [from, this.#readAhead(from, to, to + share)] as const);
    for (const [from, to] of longer) for (let block = from; block <= to; block++) this.#also(block);
    this.#wanted = new Map();
    for (const [from, to] of longer) void this.#fetch(from, to, waiting);
  }

  /** The last block of a run that begins at `first` and is wanted up to `last`, with what is read ahead: as far as `least`, if there is credit. */
  #readAhead(first: number, last: number, least: number): number {
    let before: number | undefined;
    for (let end = first; end >= first - this.#gapBlocks && before === undefined; end--) before = this.#runEnds.get(end);
    let end = last;
    const furthest = Math.max(least, before === undefined ? last : first + 2 * before - 1);
    while (end < furthest && this.#credit > 0 && this.#isFree(end + 1, end + 2) && (end + 1) * this.#blockBytes < this.size) {
      end++;
      this.#credit--;
      this.#ahead.add(end);
    }
    this.#runEnds.set(end + 1, end + 1 - first);
    return end;
  }

  /** True when no block from `from` up to, but not including, `to` is known or on its way. */
  #isFree(from: number, to: number): boolean {
    for (let block = from; block < to; block++) if (this.#blocks.has(block)) return false;
    return true;
  }

  /** Fetches a block along with others that somebody waits for. */
  #also(block: number): void {
    if (!this.#blocks.has(block) && block * this.#blockBytes < this.size) void this.#want(block);
  }

  async #fetch(first: number, last: number, waiting: ReadonlyMap<number, PromiseWithResolvers<Uint8Array>>): Promise<void> {
    const offset = first * this.#blockBytes;
    try {
      const run = await this.#reader.read(offset, this.#endOf(last) - offset, this.#signal);
      for (let block = first; block <= last; block++) {
        const start = block * this.#blockBytes - offset;
        // A copy, so that evicting one block of a long run frees its memory.
        const bytes = first === last ? run : run.slice(start, start + this.#blockBytes);
        waiting.get(block)?.resolve(bytes);
      }
    } catch (error) {
      for (let block = first; block <= last; block++) waiting.get(block)?.reject(error);
    }
  }

  async #turn(): Promise<void> {
    this.#nextTurn ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#turnBegan = performance.now();
        this.#nextTurn = undefined;
        resolve();
      });
    });
    await this.#nextTurn;
  }

  #evict(): void {
    if (this.#blocks.size <= this.#keptBlocks) return;
    for (const [block, bytes] of this.#blocks) {
      if (this.#blocks.size <= this.#keptBlocks) return;
      if (bytes instanceof Uint8Array) this.#blocks.delete(block);
    }
  }
}
