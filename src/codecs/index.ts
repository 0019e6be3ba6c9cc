export { asBlosc, asZlib, asZstd } from "./as-stored.ts";
export { unbitshuffle } from "./bitshuffle.ts";
export {
  bloscCodec,
  bytesCodec,
  bzip2Codec,
  type Codec,
  fletcher32Codec,
  shuffleCodec,
  vlenUtf8Codec,
  zlibCodec,
  zstdCodec,
} from "./codec.ts";
export { encodeChunk, firstUnwritten } from "./encode-chunk.ts";
export { FLETCHER32_BYTES, fletcher32, withFletcher32, withoutFletcher32 } from "./fletcher32.ts";
export { inflate } from "./inflate.ts";
export { unlz4Chunk } from "./lz4.ts";
export { unlzf } from "./lzf.ts";
export { unpackBits } from "./nbit.ts";
export { undoScaleOffset } from "./scale-offset.ts";
export { shuffle, unshuffle } from "./shuffle.ts";
export { unszip } from "./szip.ts";
export { unzstd } from "./zstd.ts";
