export { type BlockCacheOptions, withBlockCache } from "./block-cache.ts";
export { type CountingReader, withCounters } from "./counting-reader.ts";
export { openFileReader } from "./file-reader.ts";
export { type HttpLimits, type HttpReaderOptions, openHttpReader } from "./http-reader.ts";
export { makeFolder } from "./make-folder.ts";
export { openReader } from "./open-reader.ts";
export type { RangeReader, SourceIdentity } from "./range-reader.ts";
export { writeWhole } from "./write-whole.ts";
