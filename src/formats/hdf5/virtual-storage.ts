import { FreshetError } from "../../errors/index.ts";
import { ChunkManifestBuilder, chunkGrid, type VirtualArray } from "../../virtual/index.ts";
import type { Selection } from "./selection.ts";
import type { VirtualMapping } from "./virtual-mappings.ts";

/** A source of a virtual dataset, with the mapping that it fills. */
export interface VirtualSource {
  readonly mapping: VirtualMapping;
  /** Undefined where it is not there. */
  readonly array: VirtualArray | undefined;
}

type FoundSource = VirtualSource & { readonly array: VirtualArray };

/** The chunks of a virtual dataset, all of them chunks of its sources. */
export interface VirtualChunks {
  readonly chunkShape: readonly number[];
  readonly codecs: VirtualArray["codecs"];
  readonly manifest: VirtualArray["manifest"];
}

/**
 * Puts the chunks of the sources into the grid of the virtual dataset. What no source fills is missing. `claimCells` is asked before memory
 * is taken for the grid.
 * @throws FreshetError `unsupported` where a chunk would have to be cut, or the sources are not of one kind.
 */
export function virtualChunks(
  shape: readonly number[],
  all: readonly VirtualSource[],
  own: Pick<VirtualArray, "dataType" | "fillValue">,
  claimCells: (cells: number) => void,
): VirtualChunks | undefined {
  requireLength(shape, all);
  const sources = all.filter((source): source is FoundSource => source.array !== undefined);
  const [first] = sources;
  if (first === undefined) return undefined;
  const { codecs } = first.array;
  const placements = sources.map((source) => placementOf(source, shape));
  const chunkShape = (placements[0] as Placement).chunkShape;
  const grid = chunkGrid(shape, chunkShape);
  claimCells(grid.reduce((product, count) => product * count, 1));
  const builder = new ChunkManifestBuilder(grid);
  const filled = new Set<number>();
  for (const [index, { array }] of sources.entries()) {
    const placement = placements[index] as Placement;
    requireSame("chunk shapes", placement.chunkShape, chunkShape);
    requireSame("codecs", array.codecs, codecs);
    requireSame("types", array.dataType, own.dataType);
    // Elements that were never written are those of the source.
    if (array.manifest.counts().missing > 0) requireSame("fill values", printable(array.fillValue), printable(own.fillValue));
    for (const [from, to] of cellPairs(placement, array, builder.grid)) {
      if (filled.has(to)) throw notMapped("sources that overlap");
      filled.add(to);
      const reference = array.manifest.at(from);
      if (reference.kind === "range") builder.setRange(to, reference.uri, reference.offset, reference.length);
      else if (reference.kind === "inline") builder.setInline(to, reference.bytes);
    }
  }
  return { chunkShape, codecs, manifest: builder.build() };
}

/** Where a source's block lies, in chunks: for each axis of the virtual dataset. */
interface Placement {
  readonly chunkShape: readonly number[];
  /** For each axis of the source the chunk in which its block begins. */
  readonly sourceCorner: readonly number[];
  readonly axes: readonly {
    /** The source's axis; undefined where the block is one element thick and the source has no such axis. */
    readonly sourceAxis: number | undefined;
    readonly first: number;
    readonly count: number;
  }[];
}

function placementOf({ mapping, array }: FoundSource, shape: readonly number[]): Placement {
  const source = boxOf(mapping.source, array.shape, "source");
  const own = boxOf(mapping.own, shape, "virtual dataset", openLength(mapping.source, source));
  const sourceAxes = source.length.flatMap((length, axis) => (length === 1 ? [] : [axis]));
  let next = 0;
  const chunkShape: number[] = [];
  const axes = own.length.map((length, axis) => {
    const sourceAxis = length === 1 ? spareAxis(source, own, axis) : sourceAxes[next++];
    if (length !== 1 && (sourceAxis === undefined || source.length[sourceAxis] !== length))
      throw notMapped("blocks of different shapes");
    const chunk = sourceAxis === undefined ? 1 : (array.chunkShape[sourceAxis] as number);
    const start = own.start[axis] as number;
    const sourceStart = sourceAxis === undefined ? 0 : (source.start[sourceAxis] as number);
    const end = start + length;
    if (start % chunk !== 0 || sourceStart % chunk !== 0 || (end % chunk !== 0 && end !== shape[axis])) {
      throw notMapped("blocks that cut chunks");
    }
    chunkShape.push(chunk);
    return { sourceAxis, first: start / chunk, count: Math.ceil(length / chunk) };
  });
  if (next !== sourceAxes.length) throw notMapped("blocks of different shapes");
  const used = new Set(axes.map(({ sourceAxis }) => sourceAxis));
  // An axis of the source that the virtual dataset does not have must be one chunk of one element.
  if (array.shape.some((_, axis) => !used.has(axis) && array.chunkShape[axis] !== 1)) throw notMapped("blocks that cut chunks");
  const sourceCorner = source.start.map((start, axis) => Math.floor(start / (array.chunkShape[axis] as number)));
  return { chunkShape, sourceCorner, axes };
}

/** The source's axis of the same number, where the ranks agree. */
function spareAxis(source: Box, own: Box, axis: number): number | undefined {
  return source.length.length === own.length.length && source.length[axis] === 1 ? axis : undefined;
}

interface Box {
  readonly start: readonly number[];
  readonly length: readonly number[];
}

/** How many elements the source has along its axis without an end; undefined where it has none. */
function openLength(selection: Selection, box: Box): number | undefined {
  if (selection.kind !== "box") return undefined;
  const axis = selection.length.indexOf(Number.POSITIVE_INFINITY);
  return axis < 0 ? undefined : box.length[axis];
}

/**
 * libhdf5 makes a virtual dataset with mappings without an end as long as its longest source is when the file is opened, whatever length it was
 * written with (H5D_VDS_LAST_AVAILABLE, the default of H5Pset_virtual_view). @throws FreshetError `unsupported` where these differ.
 */
function requireLength(shape: readonly number[], all: readonly VirtualSource[]): void {
  let longest: number | undefined;
  let along = -1;
  for (const { mapping, array } of all) {
    if (mapping.own.kind !== "box") continue;
    const axis = mapping.own.length.indexOf(Number.POSITIVE_INFINITY);
    if (axis < 0) continue;
    if (along >= 0 && along !== axis) throw notMapped("selections without an end on several axes");
    along = axis;
    const length = array === undefined ? 0 : openLength(mapping.source, boxOf(mapping.source, array.shape, "source"));
    if (length === undefined) throw notMapped("a selection without an end of a source that has one");
    longest = Math.max(longest ?? 0, length === 0 ? 0 : (mapping.own.start[axis] as number) + length);
  }
  if (longest !== undefined && longest !== shape[along]) throw notMapped(`sources of ${longest} elements for ${shape[along]}`);
}

/** `open`: the length of the axis without an end. Default: to the end of `shape`. */
function boxOf(selection: Selection, shape: readonly number[], what: string, open?: number): Box {
  switch (selection.kind) {
    case "all":
      return { start: shape.map(() => 0), length: shape };
    case "box": {
      const { start } = selection;
      const lengths = selection.length.map((length, axis) =>
        length === Number.POSITIVE_INFINITY ? (open ?? Math.max(0, (shape[axis] ?? 0) - (start[axis] as number))) : length,
      );
      const fits =
        lengths.length === shape.length &&
        shape.every((length, axis) => (start[axis] as number) + (lengths[axis] as number) <= length);
      if (fits) return { start, length: lengths };
      throw notMapped(`a selection beyond the ${what}`);
    }
    case "none":
      return { start: shape.map(() => 0), length: shape.map(() => 0) };
    case "other":
      throw notMapped(`a selection ${selection.what}`);
  }
}

/** Cells of the source, and where they come to lie. */
function* cellPairs(
  { axes, sourceCorner }: Placement,
  array: VirtualArray,
  grid: readonly number[],
): Generator<readonly [from: number, to: number]> {
  const total = axes.reduce((product, { count }) => product * count, 1);
  const sourceGrid = array.manifest.grid;
  for (let index = 0; index < total; index++) {
    let rest = index;
    let to = 0;
    let toStride = 1;
    const at = [...sourceCorner];
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      const { sourceAxis, first, count } = axes[axis] as Placement["axes"][number];
      const step = rest % count;
      rest = Math.floor(rest / count);
      to += (first + step) * toStride;
      toStride *= grid[axis] as number;
      if (sourceAxis !== undefined) at[sourceAxis] = (sourceCorner[sourceAxis] as number) + step;
    }
    yield [at.reduce((cell, position, axis) => cell * (sourceGrid[axis] as number) + position, 0), to];
  }
}

function requireSame(what: string, a: unknown, b: unknown): void {
  if (JSON.stringify(a) !== JSON.stringify(b)) throw notMapped(`sources of different ${what}`);
}

function printable(fill: VirtualArray["fillValue"]): string {
  return fill instanceof Uint8Array ? fill.join() : String(fill);
}

function notMapped(found: string): FreshetError {
  return new FreshetError("unsupported", "it is a virtual dataset whose chunks are not those of its sources", { found });
}
