import { promisify } from "node:util";
import { gunzip, type InputType, inflate, type ZlibOptions, type ZstdOptions, zstdDecompress } from "node:zlib";
import { registry } from "zarrita";
import { elementSize, type NumericType, numeric } from "../virtual/index.ts";

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

/** HDF5's shuffle undone: all first bytes of the elements, all second ones, …; what is left over stays at the end. */
export function unshuffle(bytes: Uint8Array, elementSize: number): Uint8Array {
  const count = Math.floor(bytes.length / elementSize);
  const result = new Uint8Array(bytes.length);
  for (let byte = 0; byte < elementSize; byte++) {
    const plane = byte * count;
    for (let element = 0; element < count; element++) result[element * elementSize + byte] = bytes[plane + element] as number;
  }
  result.set(bytes.subarray(count * elementSize), count * elementSize);
  return result;
}

/** The bytes before HDF5's Fletcher-32 checksum, which is the last four, little-endian. @throws Error if it does not match. */
export function withoutFletcher32(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 4) throw new Error("fletcher32: no room for the checksum");
  const data = bytes.subarray(0, bytes.length - 4);
  const [a, b, c, d] = bytes.subarray(bytes.length - 4) as unknown as [number, number, number, number];
  const stored = ((d << 24) | (c << 16) | (b << 8) | a) >>> 0;
  // Before 1.6.3 the library stored the bytes of each half in the other order.
  const storedOld = ((c << 24) | (d << 16) | (a << 8) | b) >>> 0;
  const computed = fletcher32(data);
  if (stored !== computed && storedOld !== computed) throw new Error("fletcher32: the checksum does not match");
  return data;
}

/** Over big-endian 16-bit words, an odd last byte being the upper half of one. */
export function fletcher32(data: Uint8Array): number {
  let sum1 = 0;
  let sum2 = 0;
  for (let at = 0; at < data.length; at += 2) {
    sum1 += ((data[at] as number) << 8) | (data[at + 1] ?? 0);
    sum1 = (sum1 & 0xffff) + (sum1 >>> 16);
    sum2 += sum1;
    sum2 = (sum2 & 0xffff) + (sum2 >>> 16);
  }
  return ((sum2 << 16) | sum1) >>> 0;
}
