import { setTimeout as sleep } from "node:timers/promises";

export interface BackOffBounds {
  readonly firstMs: number;
  readonly mostMs: number;
}

/** Waits between attempts: twice as long each time up to a bound, and never quite as long as others that began with us. */
export class BackOff {
  readonly #bounds: BackOffBounds;
  #nextMs: number;

  constructor(bounds: BackOffBounds) {
    this.#bounds = bounds;
    this.#nextMs = bounds.firstMs;
  }

  /** Resolves when the time is over, or the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    const waitMs = this.#nextMs * (0.75 + Math.random() / 4);
    this.#nextMs = Math.min(this.#nextMs * 2, this.#bounds.mostMs);
    await pause(waitMs, signal);
  }

  /** The last attempt succeeded: the next wait is the first one again. */
  reset(): void {
    this.#nextMs = this.#bounds.firstMs;
  }
}

/** Resolves after a time, or at once when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
