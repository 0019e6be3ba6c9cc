import type { BlockCacheOptions } from "./block-cache.ts";
import { firstReadOf } from "./first-read.ts";

/** How metadata are read from a source: what a round trip costs there, in bytes. */
export type ReadingPlan = Required<
  Pick<BlockCacheOptions, "blockBytes" | "firstBytes" | "gapBytes" | "aheadBytes" | "wholeBytes">
>;

const KIB = 1024;

/** From the curve in docs/scanning.md, "Over the network"; on a local disk each read costs 40 µs, as much as copying 200 kB. */
const PLAN = { blockBytes: 16 * KIB, gapBytes: 64 * KIB, aheadBytes: 128 * KIB };

/** A small file in one read. */
const LOCAL = { firstBytes: 256 * KIB, wholeBytes: 0 };
/** A round trip of 30 ms costs as much as 1.5 MB at 50 MB/s do. */
const REMOTE_WHOLE_BYTES = 1024 * KIB;

/** The plan for a source, by its uri and by what is known of its kind. */
export function readingPlanOf(uri: string): ReadingPlan {
  if (!/^(https?|s3):/.test(uri)) return { ...PLAN, ...LOCAL };
  return { ...PLAN, firstBytes: firstReadOf(uri), wholeBytes: REMOTE_WHOLE_BYTES };
}
