import { promisify } from "node:util";
import { gunzip, type InputType, inflate, type ZlibOptions, type ZstdOptions, zstdDecompress } from "node:zlib";
import { registry } from "zarrita";
import { unshuffle, withoutFletcher32 } from "../codecs/index.ts";
import { elementSize, type NumericType, numeric } from "../virtual/index.ts";

export { fletcher32, unshuffle } from "../codecs/index.ts";

/** What zarrita tells a codec about the chunk that it will decode. */
interface ChunkFacts {
  readonly dataType: string;
  readonly shape: readonly number[];
}

interface BytesCodec {
  readonly kind: "bytes_to_bytes";
  decode(bytes: Uint8Array): Promise<Uint8Array>;
  encode(bytes: Uint8Array): Promise<Uint8Array>;
}

/**
 * Gives zarrita the codecs that it lacks (fletcher32), has with a flaw (its shuffle ignores `elementsize`), or has without a
 * limit: a few compressed bytes must not grow beyond the chunk that they are said to hold. Calling it again changes nothing.
 */
export function registerCodecs(): void {
  register("numcodecs.zlib", (_, facts) => bounded(promisify(inflate), facts));
  register("numcodecs.gzip", (_, facts) => bounded(promisify(gunzip), facts));
  register("numcodecs.zstd", (_, facts) => bounded(promisify(zstdDecompress), facts));
  register(
    "numcodecs.shuffle",
    ({ elementsize }) =>
      async (bytes) =>
        unshuffle(bytes, Number(elementsize)),
  );
  register("numcodecs.fletcher32", () => async (bytes) => withoutFletcher32(bytes));
  requireWholeChunks();
}

let wholeChunksRequired = false;

/** A chunk that decodes to too few bytes is an error; zarrita would leave the rest of it as zeros. */
function requireWholeChunks(): void {
  const original = registry.get("bytes");
  if (wholeChunksRequired || original === undefined) return;
  wholeChunksRequired = true;
  registry.set("bytes", async () => {
    const entry = await original();
    const fromConfig: typeof entry.fromConfig = (configuration, facts) => {
      const codec = entry.fromConfig(configuration, facts);
      const wanted = chunkBytesOf(facts);
      const decode = (bytes: Uint8Array) => {
        if (bytes.length < wanted) throw new Error(`a chunk has ${bytes.length} bytes instead of ${wanted}`);
        return codec.decode(Number.isNaN(wanted) ? bytes : bytes.subarray(0, wanted));
      };
      return Object.assign(Object.create(codec), { encode: codec.encode.bind(codec), decode });
    };
    return { ...entry, fromConfig };
  });
}

type Decode = (bytes: Uint8Array) => Promise<Uint8Array>;
type Make = (configuration: Readonly<Record<string, unknown>>, facts: ChunkFacts) => Decode;

function register(name: string, make: Make): void {
  const entry = {
    fromConfig: (configuration: unknown, facts: ChunkFacts): BytesCodec => ({
      kind: "bytes_to_bytes",
      decode: make((configuration ?? {}) as Record<string, unknown>, facts),
      encode: () => Promise.reject(new Error(`${name} is for reading only`)),
    }),
  };
  registry.set(name, () => Promise.resolve(entry as never));
}

/** Checksums and headers of inner codecs. */
const SLACK_BYTES = 1024;
/** For chunks of text, whose size is not known here. */
const UNKNOWN_CHUNK_BYTES = 256 * 1024 * 1024;

/** NaN for a type that is not of numbers. */
function chunkBytesOf({ dataType, shape }: ChunkFacts): number {
  return shape.reduce((product, length) => product * length, elementSize(numeric(dataType as NumericType)) ?? Number.NaN);
}

type Decompress = (bytes: InputType, options: ZlibOptions & ZstdOptions) => Promise<Uint8Array>;

function bounded(decompress: Decompress, facts: ChunkFacts): Decode {
  const maxOutputLength = (chunkBytesOf(facts) || UNKNOWN_CHUNK_BYTES) + SLACK_BYTES;
  return async (bytes) => {
    const decoded = await decompress(bytes, { maxOutputLength });
    return new Uint8Array(decoded.buffer, decoded.byteOffset, decoded.byteLength);
  };
}
