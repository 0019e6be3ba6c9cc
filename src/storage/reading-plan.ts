import type { BlockCacheOptions } from "./block-cache.ts";
import { firstReadOf } from "./first-read.ts";

/** How metadata are read from a source: what a round trip costs there, in bytes. */
export type ReadingPlan = Required<Pick<BlockCacheOptions, "blockBytes" | "firstBytes" | "gapBytes" | "aheadBytes">>;

const KIB = 1024;

/** A read of a local file costs what copying some ten kilobytes does, and the operating system reads ahead by itself. */
const LOCAL: ReadingPlan = { blockBytes: 64 * KIB, firstBytes: 64 * KIB, gapBytes: 0, aheadBytes: 0 };

/** From the curve in docs/scanning.md, "Over the network". */
const REMOTE = { blockBytes: 16 * KIB, gapBytes: 64 * KIB, aheadBytes: 128 * KIB };

/** The plan for a source, by its uri and by what is known of its kind. */
export function readingPlanOf(uri: string): ReadingPlan {
  if (!/^(https?|s3):/.test(uri)) return LOCAL;
  return { ...REMOTE, firstBytes: firstReadOf(uri) };
}
