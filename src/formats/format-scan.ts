import type { RangeReader } from "../storage/range-reader.ts";
import type { VariableOutcome, VirtualGroup } from "../virtual/index.ts";

/** What a format's scanner found in one file: the arrays that can be read by reference, and how every variable ended. */
export interface FormatScan {
  /** Holds exactly the variables whose outcome is `referenced` or `inlined`. */
  readonly root: VirtualGroup;
  /** Every variable of the file once. */
  readonly outcomes: readonly VariableOutcome[];
}

/**
 * Opens another file that a source names: external storage, a source of a virtual dataset, the target of an external link. `name` is what
 * the source says, unchecked. The reader stays open until the scan is over; whoever handed this in closes it.
 * @throws FreshetError `source-refused` for a place that is not allowed, `source-missing` where nothing is there.
 */
export type OpenBeside = (name: string) => Promise<RangeReader>;

export interface FormatOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * Most decoded bytes of one variable that are inlined where no reader could decode its stored chunks; more is refused. 0 for none.
   * Default `INLINE_BYTES`.
   */
  readonly inlineBytes?: number | undefined;
  /**
   * Wanted bytes of a chunk of a variable that is stored in one piece without filters: it is cut on its slow axes. Infinity leaves it whole.
   * Default `CHUNK_BYTES`.
   */
  readonly chunkBytes?: number | undefined;
  /** Default: no other file is opened, and what lies in one is refused. */
  readonly openBeside?: OpenBeside | undefined;
}

/** A scan and a commit carry these bytes along: a few seconds of a slow line, nothing beside the chunks of a granule. */
export const INLINE_BYTES = 4 * 2 ** 20;

/**
 * Within what object stores recommend for ranges read in parallel (8 to 16 MB): a reader of one time step does not fetch them all, and a
 * reader of everything does not ask thousands of times.
 */
export const CHUNK_BYTES = 16 * 2 ** 20;
