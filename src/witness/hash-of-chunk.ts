import * as zarr from "zarrita";
import { FreshetError } from "../errors/index.ts";
import { decodingError, openVirtualArray, ReadFailure, type ReadRange, registerCodecs } from "../scan/index.ts";
import type { VirtualArray } from "../virtual/index.ts";
import { comparedBytes, cornerOf, hashOfElements } from "./normal-form.ts";

/** A Zarr store to read: one of zarrita's that answers later, or Icechunk's. */
export interface ChunkStore {
  get(key: zarr.AbsolutePath, options?: zarr.GetOptions): Promise<Uint8Array | null | undefined>;
  getRange?(key: zarr.AbsolutePath, range: zarr.RangeQuery, options?: zarr.GetOptions): Promise<Uint8Array | null | undefined>;
}

/** A chunk as a reader of a Zarr store gets it. */
export interface HashedChunk {
  /** As `Sample.sha256`. */
  readonly sha256: string;
  /** What the store delivered for it, metadata included. */
  readonly bytesRead: number;
}

/**
 * Reads one chunk of an array through a Zarr v3 store, as any reader would, and hashes its elements in the normal form of samples.
 *
 * `extent` says which: the first so many elements along each dimension, in the array's own order of dimensions. It is the
 * caller's, since the same chunk may be cut otherwise here than in its source. For a granule's chunk in a product: `index` with
 * the granule's place added along the axis, `extent` that of the sample; where joining has made a new first dimension,
 * `[slot, ...index]` and `[1, ...extent]`. An array that is kept as a single chunk longer than the granule's steps is already
 * cut to them in the sample's extent.
 *
 * @param path absolute path of the array in the store.
 * @param index place in the array's chunk grid.
 * @throws FreshetError `corrupt` when there is no such array or the extent does not fit its chunks, `unsupported` for a type that
 *   is not compared or a codec that is not there, `malformed` when the chunk does not decode; and what the store throws.
 */
export async function hashOfChunk(
  store: ChunkStore,
  path: string,
  index: readonly number[],
  extent: readonly number[],
  signal?: AbortSignal,
): Promise<HashedChunk> {
  registerCodecs();
  let bytesRead = 0;
  const readable = counted(store, (count) => {
    bytesRead += count;
  });
  try {
    const array = await zarr.open.v3(zarr.root(readable).resolve(path), { kind: "array" });
    const sha256 = await hashOfOpened(array, array.dtype, path, index, extent, signal);
    return { sha256, bytesRead };
  } catch (error) {
    if (zarr.isZarritaError(error, "NotFoundError"))
      throw new FreshetError("corrupt", "there is no such array to read a chunk of", { expected: path, path, cause: error });
    throw decodingError(error, path);
  }
}

/** The same of a scan's own references: one chunk of an array as they and our codecs give it. @throws as `hashOfChunk`. */
export async function hashOfVirtualChunk(
  path: string,
  array: VirtualArray,
  index: readonly number[],
  extent: readonly number[],
  read: ReadRange,
  signal?: AbortSignal,
): Promise<string> {
  const type = array.dataType.kind === "number" ? array.dataType.name : array.dataType.kind;
  try {
    return await hashOfOpened(openVirtualArray(array, read), type, path, index, extent, signal);
  } catch (error) {
    throw decodingError(error, path);
  }
}

async function hashOfOpened(
  array: zarr.Array<zarr.DataType, zarr.Readable>,
  type: string,
  path: string,
  index: readonly number[],
  extent: readonly number[],
  signal: AbortSignal | undefined,
): Promise<string> {
  const elementBytes = comparedBytes(type);
  if (elementBytes === undefined)
    throw new FreshetError("unsupported", "elements of this type are not compared", { found: type, path });
  const fits = extent.length === array.chunks.length && extent.every((length, axis) => length <= (array.chunks[axis] as number));
  if (!fits) {
    throw new FreshetError("corrupt", "a chunk is smaller than what is to be read of it", {
      found: `chunks of [${array.chunks}]`,
      expected: `[${extent}]`,
      path,
    });
  }
  const { data } = await array.getChunk([...index], signal === undefined ? {} : { signal });
  const { buffer, byteOffset, byteLength } = data as unknown as Uint8Array;
  const chunk = new Uint8Array(buffer, byteOffset, byteLength);
  return hashOfElements(type, cornerOf(chunk, elementBytes, array.chunks, extent));
}

/** The store for zarrita, with what it throws marked as its own; `onBytes` hears of what it delivers. */
function counted(store: ChunkStore, onBytes: (count: number) => void): zarr.AsyncReadable {
  const deliver = async (get: () => Promise<Uint8Array | null | undefined>): Promise<Uint8Array | undefined> => {
    const bytes = await get().catch((cause: unknown) => {
      throw new ReadFailure(cause);
    });
    onBytes(bytes?.length ?? 0);
    return bytes ?? undefined;
  };
  const readable: zarr.AsyncReadable = { get: (key, options) => deliver(() => store.get(key, options)) };
  const getRange = store.getRange?.bind(store);
  return getRange === undefined
    ? readable
    : { ...readable, getRange: (key, range, options) => deliver(() => getRange(key, range, options)) };
}
