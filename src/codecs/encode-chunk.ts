import { promisify } from "node:util";
import { constants, deflate, zstdCompress } from "node:zlib";
import { FreshetError } from "../errors/index.ts";
import { asBlosc } from "./as-stored.ts";
import type { Codec } from "./codec.ts";
import { withFletcher32 } from "./fletcher32.ts";
import { shuffle } from "./shuffle.ts";

/**
 * A chunk as a Zarr codec pipeline stores it. DEFLATE and zstd compress at the level that the pipeline says; Blosc frames hold the bytes as they are.
 * @param elements in C order, little-endian, `elementBytes` each: the bytes of one number, not of a pair of them.
 * @throws FreshetError `unsupported`, naming a codec that is only read.
 */
export async function encodeChunk(elements: Uint8Array, codecs: readonly Codec[], elementBytes: number): Promise<Uint8Array> {
  let bytes = elements;
  for (const codec of codecs) bytes = await encoded(bytes, codec, elementBytes);
  return bytes;
}

/** The first codec that `encodeChunk` cannot write; undefined where it can write all. */
export function firstUnwritten(codecs: readonly Codec[]): string | undefined {
  return codecs.find(({ name }) => !WRITTEN.has(name))?.name;
}

const WRITTEN: ReadonlySet<string> = new Set([
  "bytes",
  "numcodecs.shuffle",
  "numcodecs.zlib",
  "numcodecs.zstd",
  "numcodecs.fletcher32",
  "numcodecs.blosc",
]);

async function encoded(bytes: Uint8Array, { name, configuration }: Codec, elementBytes: number): Promise<Uint8Array> {
  switch (name) {
    case "bytes":
      return configuration.endian === "big" ? swapped(bytes, elementBytes) : bytes;
    case "numcodecs.shuffle":
      return shuffle(bytes, Number(configuration.elementsize));
    case "numcodecs.zlib":
      return promisify(deflate)(bytes, { level: Number(configuration.level) });
    case "numcodecs.zstd":
      return promisify(zstdCompress)(bytes, {
        params: { [constants.ZSTD_c_compressionLevel]: Number(configuration.level) || constants.ZSTD_CLEVEL_DEFAULT },
      });
    case "numcodecs.fletcher32":
      return withFletcher32(bytes);
    case "numcodecs.blosc":
      return asBlosc(bytes, elementBytes);
    default:
      throw new FreshetError("unsupported", "chunks are not written with this codec", { found: name });
  }
}

function swapped(bytes: Uint8Array, elementBytes: number): Uint8Array {
  const result = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at++) {
    const within = at % elementBytes;
    result[at - within + (elementBytes - 1 - within)] = bytes[at] as number;
  }
  return result;
}
