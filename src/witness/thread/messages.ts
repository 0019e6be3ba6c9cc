import type { Format } from "../../scan/index.ts";

/** What the decoder's thread gets with its start. */
export interface ThreadFacts {
  /** Int32: [0] becomes 1 when a read is answered; [1] is its length in bytes, or -1. */
  readonly control: SharedArrayBuffer;
  /** Where the bytes of a read are put; no read asks for more than it holds. */
  readonly data: SharedArrayBuffer;
}

/** A block of an array that the decoder is to read. */
export interface Wanted {
  readonly path: string;
  /** Name of the Zarr data type that it is held to be. */
  readonly type: string;
  /** Shape that the whole array is held to have. */
  readonly shape: readonly number[];
  /** First element by dimension. */
  readonly start: readonly number[];
  /** Elements by dimension. */
  readonly extent: readonly number[];
  /** True: some of it may not be written, and reads as the array's fill. */
  readonly mayHaveGaps: boolean;
  /** The hash of the elements, or the elements. */
  readonly as: "hash" | "elements";
}

export interface Job {
  readonly format: Format;
  /** Bytes of the source. */
  readonly size: number;
  readonly wanted: readonly Wanted[];
}

/** What the decoder says of one block. */
export type Answer =
  | { readonly kind: "hash"; readonly sha256: string }
  | { readonly kind: "elements"; readonly elements: Uint8Array }
  /** It sees another type or shape than is wanted. */
  | { readonly kind: "differs"; readonly found: string; readonly expected: string }
  | { readonly kind: "unread"; readonly reason: string };

/** What the thread says. After `read` it stands still until it is answered. */
export type FromThread =
  | { readonly kind: "read"; readonly offset: number; readonly length: number }
  | { readonly kind: "answer"; readonly number: number; readonly answer: Answer }
  /** `heapBytes`: what its decoders hold; `broken`: it must not be asked again. */
  | { readonly kind: "done"; readonly heapBytes: number; readonly broken: boolean };
