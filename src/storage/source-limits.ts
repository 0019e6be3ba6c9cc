/** How a source is asked: how much at once, and how long each part of a request may take. What is not set is as in `LIMITS`. */
export interface SourceLimits {
  /** Requests to one host at once, by everything in this process. What is more waits for its turn. */
  readonly concurrency?: number | undefined;
  /** Requests to one host that begin in a second. Default: any number. */
  readonly perSecond?: number | undefined;
  /** Milliseconds to connect, TLS included. */
  readonly connectMs?: number | undefined;
  /** From the request to the status line. */
  readonly firstByteMs?: number | undefined;
  /** Between two pieces of the body. */
  readonly stallMs?: number | undefined;
  /** From the request to the end of the body, where a part of a source is read. */
  readonly readMs?: number | undefined;
  /** The same, where all of a source is copied. */
  readonly wholeMs?: number | undefined;
}

/**
 * The defaults. 24 requests at once: S3 serves any number, an agency's only server should not be asked for more. The first byte has time,
 * since object stores that restore or assemble answer late; a read of 16 MiB in 5 minutes is 56 kB/s; a copy that takes longer goes on where it was.
 */
export const LIMITS = {
  concurrency: 24,
  connectMs: 10_000,
  firstByteMs: 30_000,
  stallMs: 30_000,
  readMs: 5 * 60_000,
  wholeMs: 3_600_000,
} as const;
