import { ChunkManifest, chunkGrid } from "../../../virtual/index.ts";
import { NO_FILTERS } from "../filter.ts";
import type { Hdf5File } from "../hdf5-file.ts";

const NO_URI = 0xffff_ffff;

/**
 * What the chunk indexes fill: for each cell of the chunk grid an address and a length, in columns. Cells that nobody places stay
 * missing.
 */
export class ChunkTable {
  readonly chunkShape: readonly number[];
  readonly grid: readonly number[];
  /** Cells from one index to the next along each dimension. */
  readonly strides: readonly number[];
  readonly #file: Hdf5File;
  readonly #uriIndex: Uint32Array;
  readonly #offsets: Float64Array;
  readonly #lengths: Float64Array;
  /** The mask of the first chunk; the masks of all cells only where another one occurs. */
  #mask = 0;
  #maskOfCell: Uint32Array | undefined;
  #chunks = 0;

  constructor(file: Hdf5File, shape: readonly number[], chunkShape: readonly number[]) {
    this.#file = file;
    this.chunkShape = chunkShape;
    this.grid = chunkGrid(shape, chunkShape);
    const cells = this.grid.reduce((product, count) => product * count, 1);
    file.claimCells(cells);
    this.strides = stridesOf(this.grid);
    this.#uriIndex = new Uint32Array(cells).fill(NO_URI);
    this.#offsets = new Float64Array(cells);
    this.#lengths = new Float64Array(cells);
  }

  get cells(): number {
    return this.#uriIndex.length;
  }

  /** Stored bytes by filter mask, 0 where there is one mask alone; empty when there are no chunks. */
  masks(): ReadonlyMap<number, number> {
    if (this.#maskOfCell === undefined) return new Map(this.#chunks === 0 ? [] : [[this.#mask, 0]]);
    const masks = new Map<number, number>();
    this.#forEach((cell, length) => {
      const mask = this.maskOf(cell);
      masks.set(mask, (masks.get(mask) ?? 0) + length);
    });
    return masks;
  }

  /** Which filters the chunk in a cell did not go through. */
  maskOf(cell: number): number {
    return this.#maskOfCell?.[cell] ?? this.#mask;
  }

  /** Puts a chunk into a cell. @throws FreshetError `truncated` when the file does not hold all of it. */
  place(cell: number, address: number, length: number, filterMask: number): void {
    this.#file.requireInside(address, length);
    if (this.#uriIndex[cell] !== NO_URI) throw this.#file.malformed("two chunks are in the same place", address, `cell ${cell}`);
    this.#uriIndex[cell] = 0;
    this.#offsets[cell] = this.#file.superblock.base + address;
    this.#lengths[cell] = length;
    if (this.#chunks++ === 0) this.#mask = filterMask;
    if (filterMask !== this.#mask) this.#setMask(cell, filterMask);
  }

  /** Says of every chunk that reaches over the edge of an array of this shape that it went through no filter. */
  unfilterEdges(shape: readonly number[]): void {
    this.#forEach((cell) => {
      const reachesOver = this.grid.some((count, axis) => {
        const index = Math.floor(cell / (this.strides[axis] as number)) % count;
        return (index + 1) * (this.chunkShape[axis] as number) > (shape[axis] as number);
      });
      if (reachesOver) this.#setMask(cell, NO_FILTERS);
    });
  }

  /** The manifest, for an array of `innerRank` more dimensions that chunks never divide. */
  manifest(innerRank: number): ChunkManifest {
    return new ChunkManifest({
      grid: [...this.grid, ...new Array<number>(innerRank).fill(1)],
      uris: [this.#file.uri],
      uriIndex: this.#uriIndex,
      offsets: this.#offsets,
      lengths: this.#lengths,
      inlined: new Map(),
    });
  }

  #forEach(visit: (cell: number, length: number) => void): void {
    for (let cell = 0; cell < this.cells; cell++) if (this.#uriIndex[cell] === 0) visit(cell, this.#lengths[cell] as number);
  }

  #setMask(cell: number, mask: number): void {
    this.#maskOfCell ??= new Uint32Array(this.cells).fill(this.#mask);
    this.#maskOfCell[cell] = mask;
  }
}

function stridesOf(grid: readonly number[]): readonly number[] {
  const strides = new Array<number>(grid.length).fill(1);
  for (let axis = grid.length - 2; axis >= 0; axis--) strides[axis] = (strides[axis + 1] as number) * (grid[axis + 1] as number);
  return strides;
}
