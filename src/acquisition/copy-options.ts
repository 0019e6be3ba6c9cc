import type { Checksum } from "./checksum.ts";

/** How our own copy of a revision is made. `Left` is what an attempt that was cut short leaves to the next. */
export interface CopyOptions<Left> {
  readonly signal: AbortSignal;
  /** Told how many bytes there are. */
  readonly onProgress: (bytes: number) => void;
  /** What the copy is held against before it is ours. */
  readonly checksum?: Checksum | undefined;
  /** What an earlier attempt has left: where it is of the same state of the source, it is gone on with. */
  readonly earlier?: Left | undefined;
  /** Told what would be left if this process died now: only what is kept for certain. */
  readonly onPart?: (part: Left) => void;
}
