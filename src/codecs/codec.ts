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

/** A zstd frame. The level says how it was made; it does not change decoding. */
export function zstdCodec(level: number): Codec {
  return { name: "numcodecs.zstd", configuration: { level } };
}

/** bzip2. The level (1 to 9) says how it was made; it does not change decoding. */
export function bzip2Codec(level: number): Codec {
  return { name: "numcodecs.bz2", configuration: { level } };
}

/** A Blosc 1 frame, which says itself how it was made; the configuration repeats it for writers. */
export function bloscCodec(configuration: {
  readonly cname: string;
  readonly clevel: number;
  readonly shuffle: number;
  readonly blocksize: number;
}): Codec {
  return { name: "numcodecs.blosc", configuration: { ...configuration } };
}

/** HDF5's Fletcher checksum: four bytes behind the data. */
export function fletcher32Codec(): Codec {
  return { name: "numcodecs.fletcher32", configuration: {} };
}

/** Text of any length: a count, then a length and UTF-8 for each element, all lengths little-endian 32-bit. */
export function vlenUtf8Codec(): Codec {
  return { name: "vlen-utf8", configuration: {} };
}
