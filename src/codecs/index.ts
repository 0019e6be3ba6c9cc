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
