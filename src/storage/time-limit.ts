import type { FreshetError } from "../errors/index.ts";

/** A signal that ends with another one, or when the time is over. */
export interface TimeLimit {
  readonly signal: AbortSignal;
  /** What it was for is done. */
  clear(): void;
}

/** @param overdue the reason of the signal when the time is over. */
export function timeLimit(ms: number, signal: AbortSignal | undefined, overdue: () => FreshetError): TimeLimit {
  const controller = new AbortController();
  const end = (): void => controller.abort(signal?.reason);
  const timer = setTimeout(() => controller.abort(overdue()), ms);
  timer.unref();
  if (signal?.aborted === true) end();
  signal?.addEventListener("abort", end, { once: true });
  return {
    signal: controller.signal,
    clear: () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    },
  };
}
