import { encodeChunk } from "../codecs/index.ts";
import { FreshetError } from "../errors/index.ts";
import {
  type ChunkManifest,
  ChunkManifestBuilder,
  chunkGrid,
  elementSize,
  indexOfCell,
  type VirtualArray,
} from "../virtual/index.ts";
import type { ChunkCopies } from "./chunk-copies.ts";
import { decodingError, openVirtualArray, type ReadRange } from "./virtual-store.ts";

/** How an array's chunks are to be stored. */
export type ChunkForm = Pick<VirtualArray, "chunkShape" | "codecs" | "fillValue">;

/** Where each copied chunk lies in the file of copies, by cell of the form's grid. */
export type CopiedCells = ReadonlyMap<number, { readonly offset: number; readonly length: number }>;

/** Decoded chunks of the source that are kept while their neighbours are written: a row of large chunks, as a rule. */
const KEPT_BYTES = 256 * 1024 * 1024;
/** Of one chunk, decoded. One of the source and one of the copy are in memory beside those that are kept. */
const CHUNK_BYTES = 512 * 1024 * 1024;

/**
 * Decodes the chunks of an array and writes them in another form, chunk by chunk: the same elements, bit for bit. Cells of which the source has written
 * nothing stay unwritten where `isSameFill` says that they read the same.
 * @param only cells of the form's grid that are written; all where it is undefined.
 * @throws FreshetError `unsupported` for chunks that are too large or have a codec that is not there, `malformed`, and what `read` throws.
 */
export async function rechunk(
  source: VirtualArray,
  form: ChunkForm,
  how: {
    readonly read: ReadRange;
    readonly copies: ChunkCopies;
    readonly isSameFill: boolean;
    readonly only?: ((cell: number) => boolean) | undefined;
    readonly signal?: AbortSignal | undefined;
    readonly onChunk?: ((done: number, of: number) => void) | undefined;
  },
): Promise<CopiedCells> {
  const { copies, signal } = how;
  const width = elementSize(source.dataType as Parameters<typeof elementSize>[0]) as number;
  const chunkBytes = bytesOf(form.chunkShape, width);
  requireSmall(Math.max(chunkBytes, bytesOf(source.chunkShape, width)), source.name);
  const chunks = new DecodedChunks(source, how.read, width, signal);
  const grid = chunkGrid(source.shape, form.chunkShape);
  const cells = new Map<number, { offset: number; length: number }>();
  const count = bytesOf(grid, 1);
  for (let cell = 0; cell < count; cell++) {
    signal?.throwIfAborted();
    how.onChunk?.(cell, count);
    if (how.only?.(cell) === false) continue;
    const box = boxOf(source.shape, form.chunkShape, indexOfCell(cell, grid));
    const from = sourcesOf(source, box);
    if (how.isSameFill && from.every((other) => source.manifest.at(other).kind === "missing")) continue;
    const bytes = new Uint8Array(chunkBytes);
    for (const other of from) {
      const theirs = boxOf(source.shape, source.chunkShape, indexOfCell(other, source.manifest.grid));
      copyShared(await chunks.get(other), source.chunkShape, theirs, bytes, form.chunkShape, box, width);
    }
    const encoded = await encodeChunk(bytes, form.codecs, width);
    cells.set(cell, { offset: await copies.add(encoded), length: encoded.length });
  }
  return cells;
}

/** The manifest of an array of `shape` in a form, its copied cells in the file `uri`, and those of `others` as they are there. */
export function copiedManifest(
  shape: readonly number[],
  { chunkShape }: ChunkForm,
  uri: string,
  copied: CopiedCells,
  others?: ChunkManifest,
): ChunkManifest {
  const builder = new ChunkManifestBuilder(chunkGrid(shape, chunkShape));
  for (let cell = 0; others !== undefined && cell < others.cells; cell++) {
    const reference = others.at(cell);
    if (reference.kind === "range") builder.setRange(cell, reference.uri, reference.offset, reference.length);
    else if (reference.kind === "inline") builder.setInline(cell, reference.bytes);
  }
  for (const [cell, { offset, length }] of copied) builder.setRange(cell, uri, offset, length);
  return builder.build();
}

/** The first element along each dimension, and how many there are. */
interface Box {
  readonly start: readonly number[];
  readonly extent: readonly number[];
}

class DecodedChunks {
  readonly #source: VirtualArray;
  readonly #opened: ReturnType<typeof openVirtualArray>;
  readonly #signal: AbortSignal | undefined;
  readonly #kept = new Map<number, Uint8Array>();
  readonly #most: number;

  constructor(source: VirtualArray, read: ReadRange, width: number, signal: AbortSignal | undefined) {
    this.#source = source;
    this.#opened = openVirtualArray(source, read);
    this.#signal = signal;
    this.#most = Math.max(1, Math.floor(KEPT_BYTES / bytesOf(source.chunkShape, width)));
  }

  async get(cell: number): Promise<Uint8Array> {
    const known = this.#kept.get(cell);
    this.#kept.delete(cell);
    const bytes = known ?? (await this.#decode(cell));
    this.#kept.set(cell, bytes);
    if (this.#kept.size > this.#most) this.#kept.delete(this.#kept.keys().next().value as number);
    return bytes;
  }

  async #decode(cell: number): Promise<Uint8Array> {
    try {
      const index = indexOfCell(cell, this.#source.manifest.grid);
      const { data } = await this.#opened.getChunk(index, this.#signal === undefined ? {} : { signal: this.#signal });
      const { buffer, byteOffset, byteLength } = data as unknown as Uint8Array;
      return new Uint8Array(buffer, byteOffset, byteLength);
    } catch (error) {
      throw decodingError(error, this.#source.name);
    }
  }
}

/** Cells of the source that have elements of a box, ascending. */
function sourcesOf({ chunkShape, manifest }: VirtualArray, { start, extent }: Box): number[] {
  let cells = [0];
  for (const [axis, length] of chunkShape.entries()) {
    const first = Math.floor((start[axis] as number) / length);
    const last = Math.floor(((start[axis] as number) + (extent[axis] as number) - 1) / length);
    const size = manifest.grid[axis] as number;
    cells = cells.flatMap((cell) => Array.from({ length: last - first + 1 }, (_, step) => cell * size + first + step));
  }
  return cells;
}

/** Copies what two chunks share, run by run. Both are in C order. */
function copyShared(
  from: Uint8Array,
  fromShape: readonly number[],
  fromBox: Box,
  to: Uint8Array,
  toShape: readonly number[],
  toBox: Box,
  width: number,
): void {
  const rank = fromShape.length;
  const start = fromBox.start.map((at, axis) => Math.max(at, toBox.start[axis] as number));
  const extent = start.map((at, axis) => {
    const fromEnd = (fromBox.start[axis] as number) + (fromBox.extent[axis] as number);
    const toEnd = (toBox.start[axis] as number) + (toBox.extent[axis] as number);
    return Math.min(fromEnd, toEnd) - at;
  });
  const run = (rank === 0 ? 1 : (extent[rank - 1] as number)) * width;
  const runs = bytesOf(extent.slice(0, -1), 1);
  const placeOf = (shape: readonly number[], box: Box, index: readonly number[]): number =>
    index.reduce((place, at, axis) => place * (shape[axis] as number) + at - (box.start[axis] as number), 0) * width;
  for (let number = 0; number < runs; number++) {
    const index =
      rank === 0 ? [] : [...indexOfCell(number, extent.slice(0, -1)), 0].map((at, axis) => at + (start[axis] as number));
    const at = placeOf(fromShape, fromBox, index);
    to.set(from.subarray(at, at + run), placeOf(toShape, toBox, index));
  }
}

function boxOf(shape: readonly number[], chunkShape: readonly number[], index: readonly number[]): Box {
  const start = index.map((at, axis) => at * (chunkShape[axis] as number));
  return { start, extent: start.map((at, axis) => Math.min(chunkShape[axis] as number, (shape[axis] as number) - at)) };
}

function bytesOf(shape: readonly number[], width: number): number {
  return shape.reduce((product, length) => product * length, width);
}

function requireSmall(bytes: number, path: string): void {
  if (bytes <= CHUNK_BYTES) return;
  throw new FreshetError("unsupported", "a chunk is too large to be copied", {
    found: `${bytes} bytes`,
    expected: `at most ${CHUNK_BYTES} bytes, decoded`,
    path,
  });
}
