export { DecoderThread, type DecoderThreadOptions } from "./decoder-thread.ts";
export { type ChunkStore, type HashedChunk, hashOfChunk, hashOfVirtualChunk } from "./hash-of-chunk.ts";
export { RememberedReads } from "./remembered-reads.ts";
export { type TakeSamplesOptions, takeSamples } from "./take-samples.ts";
