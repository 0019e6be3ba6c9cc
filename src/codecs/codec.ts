/**
 * One step of a Zarr v3 codec pipeline: its registered name and its configuration as JSON.
 * Names used by Freshet: `bytes` {endian}, `vlen-utf8`, `numcodecs.shuffle` {elementsize}, `numcodecs.zlib` {level},
 * `numcodecs.zstd` {level}, `numcodecs.blosc` {…}, `numcodecs.bz2` {level}, `numcodecs.fletcher32`, `numcodecs.lz4`.
 */
export interface Codec {
  readonly name: string;
  readonly configuration: Readonly<Record<string, string | number | boolean>>;
}

export function bytesCodec(endian: "little" | "big"): Codec {
  return { name: "bytes", configuration: { endian } };
}

export function shuffleCodec(elementSize: number): Codec {
  return { name: "numcodecs.shuffle", configuration: { elementsize: elementSize } };
}

/** DEFLATE in a zlib wrapper. The level says how it was made; it does not change decoding. */
export function zlibCodec(level: number): Codec {
  return { name: "numcodecs.zlib", configuration: { level } };
}
