import { bytesCodec } from "../codecs/index.ts";
import { FreshetError } from "../errors/index.ts";
import { isCopyUri } from "../scan/index.ts";
import { type Attributes, elementSize, type FillValue, type VirtualArray } from "../virtual/index.ts";
import { type ArrayChange, arrayMetadata, decodeTexts, type NativeChunk, type VirtualChunk } from "../writers/icechunk/index.ts";
import { encodeAxis } from "./axis-time.ts";
import { isSameEncoding } from "./cf-time.ts";
import { gapFill, isSameFill } from "./fill.ts";
import type { ShapedArray } from "./granule-shape.ts";
import type { EpochPart, PlacedGranule, ReadCopy } from "./placed-granule.ts";
import { encodeValue, loadedBytes, numberBytes } from "./typed-values.ts";

/** Steps of a packed coordinate to a chunk: 8 KB of float64, one request for three years of days. */
const PACKED_ROWS = 1024;
/** Of a chunk at most: an append rewrites the last one. A step that is larger than this is a chunk. */
const PACKED_BYTES = 1024 * 1024;

/** Dimensions along which granules are joined, after the change. */
export interface Leading {
  readonly names: readonly string[];
  readonly lengths: readonly number[];
  /** Where a slot is on them. */
  readonly indexOf: (slot: number) => readonly number[];
}

export interface ArrayContext extends Pick<EpochPart, "changes" | "granules" | "from" | "timeAt" | "template" | "steps"> {
  readonly shaped: ShapedArray;
  readonly attributes: Attributes;
  /** The dimensions that arrays without the axis get in front of theirs; the first one's length is that of the axis. */
  readonly leading: Leading;
  readonly hasGaps: boolean;
  /** Some granule left a chunk of this array unwritten. */
  readonly isSparse: boolean;
}

/** An array that is the same in every granule: its values natively where they were loaded, else references to the template. */
export function staticChange({ path, array }: ShapedArray, attributes: Attributes, granule: Placed): ArrayChange {
  const virtual: VirtualChunk[] = [];
  const native: KeptChunk[] = [];
  collect(array, granule, (index) => index, virtual, native);
  return { path, metadata: arrayMetadata({ ...array, attributes }), virtual, native, erase: [], patch: undefined };
}

/** An array whose chunks stay in the granules: cell by cell, moved along the axis to the granule's slot. */
export function alongChange(context: ArrayContext): ArrayChange {
  const { shaped, attributes, leading, hasGaps, isSparse, steps } = context;
  const { path, array, isNewAxis } = shaped;
  const axis = shaped.axisIndex ?? 0;
  const { chunkLength, cells } = alongGrid(shaped, steps);
  const gap = hasGaps ? gapFill(array) : { fill: array.fillValue, mark: undefined };
  if (isSparse && !isSameFill(gap.fill, array.fillValue)) {
    throw new FreshetError("unsupported", "a gap could not be told from a chunk that a granule left unwritten", {
      found: `gaps as ${String(gap.fill)}, unwritten chunks as ${String(array.fillValue)}`,
      path,
      remedy: "Use `missing: omit`, or drop the variable",
    });
  }
  const replaceAxis = (values: readonly number[], replacement: readonly number[]): number[] =>
    isNewAxis ? [...replacement, ...values] : values.toSpliced(axis, 1, ...replacement);
  const metadata = arrayMetadata({
    ...array,
    shape: replaceAxis(array.shape, leading.lengths),
    chunkShape: replaceAxis(
      array.chunkShape,
      leading.lengths.map(() => chunkLength),
    ),
    dimensionNames: isNewAxis ? [...leading.names, ...array.dimensionNames] : array.dimensionNames,
    fillValue: gap.fill,
    attributes: gap.mark === undefined ? attributes : new Map([...attributes, ["_FillValue", gap.mark]]),
  });

  const virtual: VirtualChunk[] = [];
  const native: KeptChunk[] = [];
  const erase: (readonly number[])[] = [];
  for (const { slot, row } of context.changes) {
    const place = (index: readonly number[]): number[] =>
      isNewAxis ? [...leading.indexOf(slot), ...index] : index.with(axis, (index[axis] as number) + slot * cells);
    const granule = row === null ? undefined : context.granules.get(slot);
    const placed = granule?.shape.arrays.find((other) => other.path === path)?.array;
    if (granule !== undefined && placed !== undefined) {
      const trim = trimmed(placed, axis, isNewAxis, steps);
      const unwritten = collect(placed, granule, place, virtual, native, trim);
      if (slot < context.from) erase.push(...unwritten);
    } else if (slot < context.from) {
      for (const index of indices(array.manifest.grid)) erase.push(place(index));
    }
  }
  return { path, metadata, virtual, native, erase, patch: undefined };
}

/** A coordinate along the axis, kept natively; also the axis itself, which has a value in gaps too. */
export function packedChange(context: ArrayContext): ArrayChange {
  const { shaped, attributes, leading, hasGaps, steps } = context;
  const { path, array, role, isNewAxis } = shaped;
  if (array.dataType.kind === "string") return textChange(context);
  const rest = isNewAxis ? array.shape : array.shape.slice(1);
  const size = elementSize(array.dataType) as number;
  const elements = rest.reduce((product, length) => product * length, 1);
  const rowsPerChunk = Math.max(1, Math.min(PACKED_ROWS, Math.floor(PACKED_BYTES / Math.max(1, size * elements))));
  const gap = role !== "axis" && hasGaps ? gapFill(array) : { fill: array.fillValue, mark: undefined };
  const metadata = arrayMetadata({
    shape: [...leading.lengths, ...rest],
    chunkShape: [rowsPerChunk, ...rest],
    dimensionNames: isNewAxis ? [...leading.names, ...array.dimensionNames] : array.dimensionNames,
    dataType: array.dataType,
    codecs: [bytesCodec("little")],
    fillValue: gap.fill,
    attributes: gap.mark === undefined ? attributes : new Map([...attributes, ["_FillValue", gap.mark]]),
  });
  const fill = repeat(fillBytes(array, gap.fill, size), elements);
  const rows = new Map<number, Uint8Array>();
  const { axisType, axisEncoding } = context.template.shape;
  const timeOf = (ms: number): Uint8Array => encodeValue(axisType, encodeAxis(context.template.shape, ms));
  for (const { slot, row } of context.changes) {
    const granule = row === null ? undefined : context.granules.get(slot);
    const isInOtherUnits = role === "axis" && granule !== undefined && !isSameEncoding(granule.shape.axisEncoding, axisEncoding);
    const bytes = granule === undefined || isInOtherUnits ? undefined : granuleBytes(granule.shape.arrays, path);
    for (let step = 0; step < steps; step++) {
      const at = slot * steps + step;
      if (bytes !== undefined) rows.set(at, bytes.subarray(step * fill.length, (step + 1) * fill.length));
      else if (role === "axis") rows.set(at, timeOf(granule?.shape.validMs[step] ?? context.timeAt(slot, step)));
      else rows.set(at, fill);
    }
  }
  return {
    path,
    metadata,
    virtual: [],
    native: [],
    erase: [],
    patch: { rowsPerChunk, fill, rows, trailing: rest.length },
  };
}

/** A coordinate of text, one for each slot: Zarr's data type `string`, in chunks of `vlen-utf8`, which zarr-python 3 and zarrita read. */
function textChange({ shaped: { path, array }, attributes, leading, changes, granules }: ArrayContext): ArrayChange {
  const metadata = arrayMetadata({
    shape: leading.lengths,
    chunkShape: [PACKED_ROWS],
    dimensionNames: leading.names,
    dataType: array.dataType,
    codecs: array.codecs,
    fillValue: "",
    attributes,
  });
  const rows = new Map<number, Uint8Array>();
  for (const { slot } of changes) {
    const chunk = granules
      .get(slot)
      ?.shape.arrays.find((other) => other.path === path)
      ?.array.manifest.at(0);
    const [text = ""] = chunk?.kind === "inline" ? decodeTexts(chunk.bytes) : [];
    rows.set(slot, Buffer.from(text, "utf8"));
  }
  const patch = { rowsPerChunk: PACKED_ROWS, fill: new Uint8Array(0), rows, trailing: 0, isText: true };
  return { path, metadata, virtual: [], native: [], erase: [], patch };
}

/**
 * A coordinate along two leading dimensions, kept natively: each cell is a chunk of its own. Of the axis, which has a value in gaps
 * too, a chunk is a whole row of the first dimension.
 */
export function cellsChange(context: ArrayContext): ArrayChange {
  const { shaped, attributes, leading, hasGaps } = context;
  const { path, array, role } = shaped;
  const [, columns = 1] = leading.lengths;
  if (array.dataType.kind === "string")
    throw new FreshetError("unsupported", "a coordinate of text along the axis is not kept yet", { path });
  const gap = role !== "axis" && hasGaps ? gapFill(array) : { fill: array.fillValue, mark: undefined };
  const metadata = arrayMetadata({
    shape: [...leading.lengths, ...array.shape],
    chunkShape: [1, role === "axis" ? Math.max(1, columns) : 1, ...array.shape.map((length) => Math.max(1, length))],
    dimensionNames: [...leading.names, ...array.dimensionNames],
    dataType: array.dataType,
    codecs: [bytesCodec("little")],
    fillValue: gap.fill,
    attributes: gap.mark === undefined ? attributes : new Map([...attributes, ["_FillValue", gap.mark]]),
  });
  const told = { path, metadata, virtual: [], patch: undefined };
  if (role === "axis") return { ...told, native: timesOfRows(context, columns), erase: [] };
  const native: KeptChunk[] = [];
  const erase: (readonly number[])[] = [];
  for (const { slot, row } of context.changes) {
    const index = [...leading.indexOf(slot), ...array.shape.map(() => 0)];
    const granule = row === null ? undefined : context.granules.get(slot);
    const bytes = granule && granuleBytes(granule.shape.arrays, path);
    if (bytes !== undefined) native.push({ index, bytes });
    else erase.push(index);
  }
  return { ...told, native, erase };
}

/** The times of every row in which something changes. */
function timesOfRows({ template, changes, timeAt }: ArrayContext, columns: number): NativeChunk[] {
  const { shape } = template;
  const rows = new Set(changes.map(({ slot }) => Math.floor(slot / columns)));
  return [...rows].map((row) => ({
    index: [row, 0],
    bytes: Buffer.concat(
      Array.from({ length: columns }, (_, column) =>
        encodeValue(shape.axisType, encodeAxis(shape, timeAt(row * columns + column, 0))),
      ),
    ),
  }));
}

/** Cells of a granule along the axis, and how long they are. @throws FreshetError `unsupported` where cells would overlap. */
export function alongGrid(
  { path, array, axisIndex, isNewAxis }: ShapedArray,
  steps: number,
): { chunkLength: number; cells: number } {
  if (isNewAxis) return { chunkLength: 1, cells: 1 };
  const declared = array.chunkShape[axisIndex ?? 0] as number;
  if (steps % declared === 0) return { chunkLength: declared, cells: steps / declared };
  if (declared > steps && axisIndex === 0 && isRaw(array)) return { chunkLength: steps, cells: 1 };
  throw new FreshetError("unsupported", "the granule ends inside a chunk along the time axis", {
    found: `${steps} steps in chunks of ${declared}`,
    expected: "whole chunks",
    path,
    remedy: "Drop the variable; a native copy comes with a later version",
  });
}

/** Elements of one size, one after the other: cutting the bytes cuts the rows. */
export function isRaw(array: VirtualArray): boolean {
  return array.codecs.length === 1 && array.codecs[0]?.name === "bytes";
}

/** Uncompressed chunks that are longer than the granule are cut: their first `steps` rows are its bytes. */
function trimmed(array: VirtualArray, axis: number, isNewAxis: boolean, steps: number): ((length: number) => number) | undefined {
  const declared = array.chunkShape[axis] as number;
  if (isNewAxis || declared <= steps || axis !== 0) return undefined;
  return (length) => (length / declared) * steps;
}

/** Adds every cell of an array at its place; answers the places of the cells that the granule left unwritten. */
function collect(
  array: VirtualArray,
  { source, readCopy }: Placed,
  place: (index: readonly number[]) => readonly number[],
  virtual: VirtualChunk[],
  native: KeptChunk[],
  trim: (length: number) => number = (length) => length,
): (readonly number[])[] {
  const unwritten: (readonly number[])[] = [];
  let cell = 0;
  for (const index of indices(array.manifest.grid)) {
    const reference = array.manifest.at(cell++);
    if (reference.kind === "range") {
      const { uri, offset } = reference;
      const length = trim(reference.length);
      if (isCopyUri(uri)) native.push({ index: place(index), read: copied({ uri, offset, length }, readCopy) });
      else virtual.push({ index: place(index), uri, offset, length, source });
    } else if (reference.kind === "inline") {
      native.push({ index: place(index), bytes: reference.bytes.subarray(0, trim(reference.bytes.length)) });
    } else {
      unwritten.push(place(index));
    }
  }
  return unwritten;
}

type KeptChunk = ArrayChange["native"][number];
type Placed = Pick<PlacedGranule, "source" | "readCopy">;

/** Copied chunks are read when they are written: a granule may have more of them than fits into memory. */
function copied(range: Parameters<ReadCopy>[0], readCopy: ReadCopy | undefined): () => Promise<Uint8Array> {
  if (readCopy !== undefined) return () => readCopy(range);
  throw new FreshetError("corrupt", "a copied chunk has nobody to read it", { found: range.uri });
}

/** Every index of a grid in C order. The empty grid has one, the empty index. */
export function* indices(grid: readonly number[]): Generator<readonly number[]> {
  const cells = grid.reduce((product, length) => product * length, 1);
  const index = new Array<number>(grid.length).fill(0);
  for (let cell = 0; cell < cells; cell++) {
    yield [...index];
    for (let dimension = grid.length - 1; dimension >= 0; dimension--) {
      const next = (index[dimension] as number) + 1;
      index[dimension] = next < (grid[dimension] as number) ? next : 0;
      if (index[dimension] !== 0) break;
    }
  }
}

function granuleBytes(arrays: readonly ShapedArray[], path: string): Uint8Array | undefined {
  const shaped = arrays.find((other) => other.path === path);
  return shaped === undefined ? undefined : loadedBytes(shaped.array);
}

/** The bytes of an element that reads as `fill`: little-endian, `size` of them. */
export function fillBytes(array: VirtualArray, fill: FillValue, size: number): Uint8Array {
  if (fill instanceof Uint8Array) return fill;
  if (array.dataType.kind !== "number" || fill === null || typeof fill === "string") return new Uint8Array(size);
  if (typeof fill === "object") {
    const part = array.dataType.name === "complex64" ? "float32" : "float64";
    return Buffer.concat(fill.map((number) => numberBytes(part, number, size / 2)));
  }
  return numberBytes(array.dataType.name, fill, size);
}

function repeat(bytes: Uint8Array, times: number): Uint8Array {
  const all = new Uint8Array(bytes.length * times);
  for (let index = 0; index < times; index++) all.set(bytes, index * bytes.length);
  return all;
}
