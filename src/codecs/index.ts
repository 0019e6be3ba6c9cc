export { bytesCodec, type Codec, shuffleCodec, zlibCodec } from "./codec.ts";
