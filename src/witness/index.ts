export { DecoderThread, type DecoderThreadOptions } from "./decoder-thread.ts";
export { type ChunkStore, type HashedChunk, hashOfChunk, hashOfVirtualChunk } from "./hash-of-chunk.ts";
export { extentOf } from "./normal-form.ts";
export { RememberedReads } from "./remembered-reads.ts";
export { endWitness, type TakeSamplesOptions, takeSamples } from "./take-samples.ts";
