import { setTimeout as sleep } from "node:timers/promises";
import { isFreshetError } from "../errors/index.ts";

/**
 * A read that fails with `source-unavailable` is tried again so many times, the wait doubling from `firstWaitMs` on; where the server
 * says when, it waits so long, but not longer than `LONGEST_WAIT_MS`. Default 3 times from 250 ms on.
 */
export interface Retry {
  readonly times: number;
  readonly firstWaitMs: number;
}

/** Whoever is told to come back later than this comes back with everything: other work should not wait for it. */
const LONGEST_WAIT_MS = 10_000;
const RETRY: Retry = { times: 3, firstWaitMs: 250 };

/** Reads, and tries again what fails for now. @throws the last failure; what `signal` aborts with. */
export async function retriedRead<T>(
  read: () => Promise<T>,
  { times, firstWaitMs }: Retry = RETRY,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await read();
    } catch (error) {
      await beforeNextTry(error, failures, { times, firstWaitMs }, signal);
    }
  }
}

/** Who sends less between two failures makes no progress worth the requests. */
const PROGRESS_BYTES = 256 * 1024;

/**
 * Pieces from `from` on, one after the other; where that fails for now it goes on behind the last of them. Tries are counted anew after 256 KiB.
 * @throws as `retriedRead`.
 */
export async function* retriedPieces(
  piecesFrom: (offset: number) => AsyncIterable<Uint8Array>,
  from: number,
  retry: Retry = RETRY,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let at = from;
  let counted = from;
  for (let failures = 0; ; failures++) {
    try {
      for await (const piece of piecesFrom(at)) {
        at += piece.length;
        yield piece;
        if (at - counted < PROGRESS_BYTES) continue;
        counted = at;
        failures = 0;
      }
      return;
    } catch (error) {
      counted = at;
      await beforeNextTry(error, failures, retry, signal);
    }
  }
}

/** @throws `error`, where trying again is of no use. */
async function beforeNextTry(
  error: unknown,
  failures: number,
  { times, firstWaitMs }: Retry,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (failures >= times || !isFreshetError(error, "source-unavailable")) throw error;
  // Not all at the same moment: reads that failed together would come back together.
  const waitMs = error.facts.retryAfterMs ?? Math.min(LONGEST_WAIT_MS, firstWaitMs * 2 ** failures * (0.5 + Math.random()));
  if (waitMs > LONGEST_WAIT_MS) throw error;
  await sleep(waitMs, undefined, signal === undefined ? {} : { signal }).catch((cause: unknown) => {
    throw signal?.reason ?? cause;
  });
}

/** Ends when one of them does. */
export function anySignal(a: AbortSignal | undefined, b: AbortSignal | undefined): AbortSignal | undefined {
  return a === undefined || b === undefined ? (a ?? b) : AbortSignal.any([a, b]);
}
