import { parentPort } from "node:worker_threads";
import { BLOCK_BYTES, requestFor } from "./block-request.ts";
import type { FromThread, ThreadFacts } from "./messages.ts";

/** Blocks that are kept: libhdf5 goes back and forth between structures. */
const KEPT_BLOCKS = 128;
/** The bytes cannot be had. Why is known to the other side. */
export class RangeFailure extends Error {}

/** The source as the thread reads it: each read stands still until the main thread has put the bytes into shared memory. */
export class Ranges {
  readonly size: number;
  readonly #control: Int32Array<SharedArrayBuffer>;
  readonly #data: Uint8Array<SharedArrayBuffer>;
  /** By offset, least recently used first. */
  readonly #blocks = new Map<number, Uint8Array>();

  constructor(facts: ThreadFacts, size: number) {
    this.size = size;
    this.#control = new Int32Array(facts.control);
    this.#data = new Uint8Array(facts.data);
  }

  /** The bytes from `offset`, fewer than `length` where the source ends. @throws RangeFailure when they cannot be had. */
  read(offset: number, length: number): Uint8Array {
    const wanted = Math.max(0, Math.min(length, this.size - offset));
    if (wanted === 0) return new Uint8Array(0);
    if (wanted >= BLOCK_BYTES) return this.#ask(offset, wanted);
    const request = requestFor(offset, wanted, this.size);
    const first = this.#block(request.offset, request);
    const at = offset - request.offset;
    if (at + wanted <= first.length) return first.subarray(at, at + wanted);
    const second = this.#block(request.offset + BLOCK_BYTES, request);
    const joined = new Uint8Array(wanted);
    joined.set(first.subarray(at));
    joined.set(second.subarray(0, wanted - (first.length - at)), first.length - at);
    return joined;
  }

  /** One block; where it is missing, the blocks of the request from here on are asked for together. */
  #block(offset: number, request: { readonly offset: number; readonly length: number }): Uint8Array {
    const kept = this.#blocks.get(offset);
    if (kept !== undefined) {
      this.#blocks.delete(offset);
      this.#blocks.set(offset, kept);
      return kept;
    }
    const end = request.offset + request.length;
    const next = offset + BLOCK_BYTES;
    const bytes = this.#ask(offset, Math.min(end, next < end && this.#blocks.has(next) ? next : end) - offset);
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) this.#keep(offset + at, bytes.slice(at, at + BLOCK_BYTES));
    return bytes.subarray(0, BLOCK_BYTES);
  }

  #keep(offset: number, block: Uint8Array): void {
    this.#blocks.set(offset, block);
    if (this.#blocks.size > KEPT_BLOCKS) this.#blocks.delete(this.#blocks.keys().next().value as number);
  }

  #ask(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let filled = 0; filled < length; ) {
      const part = Math.min(length - filled, this.#data.length);
      Atomics.store(this.#control, 0, 0);
      parentPort?.postMessage({ kind: "read", offset: offset + filled, length: part } satisfies FromThread);
      // Without a time limit here: the main thread has one, and ends this thread where it stands.
      Atomics.wait(this.#control, 0, 0);
      if (this.#control[1] !== part) throw new RangeFailure("the bytes cannot be read");
      bytes.set(this.#data.subarray(0, part), filled);
      filled += part;
    }
    return bytes;
  }
}
