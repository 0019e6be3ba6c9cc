import * as zarr from "zarrita";
import { FreshetError } from "../errors/index.ts";
import type { RangeReader } from "../storage/index.ts";
import { type DataType, elementSize, type FillValue, type VirtualArray } from "../virtual/index.ts";
import { registerCodecs } from "./decoding.ts";

/** What `read` threw, told apart from what decoding throws. */
export class ReadFailure {
  readonly cause: unknown;
  constructor(cause: unknown) {
    this.cause = cause;
  }
}

/** Reads `length` bytes from `offset` of the source that a reference names. */
export type ReadRange = (uri: string, offset: number, length: number, signal?: AbortSignal) => Promise<Uint8Array>;

/** Reads from one open source. A file's chunks may lie in other files (HDF5 external storage): those are `unsupported` here. */
export function readFrom(reader: RangeReader): ReadRange {
  return (uri, offset, length, signal) => {
    if (uri === reader.uri) return reader.read(offset, length, signal);
    throw new FreshetError("unsupported", "the values lie in another file", { found: uri, expected: reader.uri });
  };
}

/**
 * One virtual array as a read-only Zarr store: `/c/0/1` is the chunk at (0, 1), fetched by its reference. The metadata is not
 * in the store: JSON would lose 64-bit fill values on the way (see `openVirtualArray`).
 */
class VirtualArrayStore implements zarr.AsyncReadable {
  readonly #array: VirtualArray;
  readonly #read: ReadRange;

  constructor(array: VirtualArray, read: ReadRange) {
    this.#array = array;
    this.#read = read;
  }

  async get(key: zarr.AbsolutePath, options?: zarr.GetOptions): Promise<Uint8Array | undefined> {
    const { grid } = this.#array.manifest;
    const coordinates = key.split("/").slice(2).map(Number);
    // A byte view has one more axis, of a single chunk.
    const cell = grid.reduce((index, count, axis) => index * count + (coordinates[axis] ?? 0), 0);
    const reference = this.#array.manifest.at(cell);
    switch (reference.kind) {
      case "missing":
        return undefined;
      case "inline":
        return reference.bytes;
      case "range":
        return this.#read(reference.uri, reference.offset, reference.length, options?.signal).catch((cause) => {
          throw new ReadFailure(cause);
        });
    }
  }
}

/**
 * The array as zarrita reads it. Numbers are themselves (bool as uint8); a complex number is a last axis of two floats; text
 * of fixed length, opaque and struct elements are a last axis of bytes.
 * @throws FreshetError `unsupported` for strings of any length.
 */
export function openVirtualArray(array: VirtualArray, read: ReadRange): zarr.Array<zarr.DataType> {
  registerCodecs();
  const view = viewOf(array.dataType);
  const inner = view.axis === undefined ? [] : [view.axis];
  return new zarr.Array(new VirtualArrayStore(array, read), "/", {
    zarr_format: 3,
    node_type: "array",
    shape: [...array.shape, ...inner],
    data_type: view.type,
    chunk_grid: { name: "regular", configuration: { chunk_shape: [...array.chunkShape, ...inner] } },
    chunk_key_encoding: { name: "default" },
    codecs: array.codecs.map(({ name, configuration }) => ({ name, configuration: { ...configuration } })),
    fill_value: scalarFill(array.fillValue, view.type),
    attributes: {},
  });
}

/**
 * Every value of the array, decoded: C order, little-endian (struct fields as they are stored). Missing chunks read as the
 * storage fill.
 * @throws FreshetError `unsupported` (a codec that cannot be decoded here), `malformed` (bytes that do not decode), and what
 *   `read` throws.
 */
export async function readVirtualArray(array: VirtualArray, read: ReadRange, signal?: AbortSignal): Promise<Uint8Array> {
  if (array.shape.includes(0)) return new Uint8Array(0);
  const opened = openVirtualArray(array, read);
  const options = signal === undefined ? {} : { signal };
  try {
    requireScalarFill(array);
    const { data } = opened.shape.length === 0 ? await opened.getChunk([], options) : await wholeOf(opened, options);
    const { buffer, byteOffset, byteLength } = data as unknown as Uint8Array;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    const wanted = array.shape.reduce((product, length) => product * length, elementSize(array.dataType as never) as number);
    if (bytes.length < wanted)
      throw new FreshetError("malformed", "a chunk decodes to too few bytes", {
        found: `${bytes.length}`,
        expected: `${wanted}`,
      });
    return bytes.slice(0, wanted);
  } catch (error) {
    throw decodingError(error, array.name);
  }
}

function wholeOf(array: zarr.Array<zarr.DataType>, options: zarr.GetOptions) {
  return zarr.get(array, null, options) as Promise<zarr.Chunk<zarr.DataType>>;
}

interface View {
  readonly type: zarr.DataType;
  readonly axis?: number;
}

function viewOf(type: DataType): View {
  switch (type.kind) {
    case "number":
      if (type.name === "bool") return { type: "uint8" };
      if (type.name === "complex64") return { type: "float32", axis: 2 };
      if (type.name === "complex128") return { type: "float64", axis: 2 };
      return { type: type.name };
    case "fixed-string":
    case "opaque":
    case "struct":
      return { type: "uint8", axis: elementSize(type) };
    case "string":
      throw new FreshetError("unsupported", "text of any length is not read through its chunks");
  }
}

function scalarFill(fill: FillValue, type: zarr.DataType): never {
  const zero = type === "int64" || type === "uint64" ? 0n : 0;
  const value = typeof fill === "boolean" ? Number(fill) : typeof fill === "number" || typeof fill === "bigint" ? fill : zero;
  return value as never;
}

/** A fill of several bytes or numbers is no scalar of the view; it matters where chunks are missing. */
function requireScalarFill(array: VirtualArray): void {
  const { fillValue } = array;
  const isZero = fillValue instanceof Uint8Array && fillValue.every((byte) => byte === 0);
  if (fillValue === null || isZero || typeof fillValue !== "object" || array.manifest.counts().missing === 0) return;
  throw new FreshetError("unsupported", "missing chunks with such a fill value are not read here", {
    found: fillValue instanceof Uint8Array ? `a fill of ${fillValue.length} bytes` : "a complex fill",
  });
}

/**
 * What was thrown while a chunk was read, as an error of ours: the cause of a `ReadFailure` as it is, `unsupported` for a codec
 * that zarrita lacks, `malformed` for bytes that do not decode.
 */
export function decodingError(error: unknown, path: string): unknown {
  if (error instanceof ReadFailure) return error.cause;
  const cause = zarr.isZarritaError(error) ? (error.cause ?? error) : error;
  if (cause instanceof FreshetError) return cause.at({ path });
  if (zarr.isZarritaError(error, "UnknownCodecError"))
    return new FreshetError("unsupported", "the values cannot be decoded here", { found: error.message, path, cause: error });
  if (error instanceof Error && error.name !== "AbortError")
    return new FreshetError("malformed", "the values cannot be decoded", { found: (cause as Error).message, path, cause: error });
  return error;
}
