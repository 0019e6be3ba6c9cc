import { FreshetError } from "../../../errors/index.ts";
import { ChunkManifest, chunkGrid } from "../../../virtual/index.ts";
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
  readonly #masks = new Set<number>();

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

  /** The filter masks that occur, in no order; empty when there are no chunks. */
  get masks(): ReadonlySet<number> {
    return this.#masks;
  }

  /** Puts a chunk into a cell. @throws FreshetError `truncated` when the file does not hold all of it. */
  place(cell: number, address: number, length: number, filterMask: number): void {
    this.#file.requireInside(address, length);
    if (this.#uriIndex[cell] !== NO_URI) throw this.#file.malformed("two chunks are in the same place", address, `cell ${cell}`);
    this.#uriIndex[cell] = 0;
    this.#offsets[cell] = this.#file.superblock.base + address;
    this.#lengths[cell] = length;
    this.#masks.add(filterMask);
  }

  /** Calls for every cell that has a chunk. `position` is absolute. */
  forEach(visit: (cell: number, position: number, length: number) => void): void {
    for (let cell = 0; cell < this.cells; cell++) {
      if (this.#uriIndex[cell] === 0) visit(cell, this.#offsets[cell] as number, this.#lengths[cell] as number);
    }
  }

  /** How many of the present chunks reach over the edge of an array of this shape. */
  edges(shape: readonly number[]): "none" | "some" | "all" {
    let whole = 0;
    let partial = 0;
    this.forEach((cell) => {
      const reachesOver = this.grid.some((count, axis) => {
        const index = Math.floor(cell / (this.strides[axis] as number)) % count;
        return (index + 1) * (this.chunkShape[axis] as number) > (shape[axis] as number);
      });
      if (reachesOver) partial++;
      else whole++;
    });
    return partial === 0 ? "none" : whole === 0 ? "all" : "some";
  }

  /** @throws FreshetError `malformed` unless every chunk has this length: without filters, the bytes are the elements. */
  requireLength(expected: number): void {
    this.forEach((_, position, length) => {
      if (length === expected) return;
      throw new FreshetError("malformed", "a chunk without filters has the wrong length", {
        found: `${length} bytes`,
        expected: `${expected} bytes`,
        uri: this.#file.uri,
        offset: position,
      });
    });
  }

  /**
   * The manifest, for an array of `innerRank` more dimensions that chunks never divide. `trailer` bytes at the end of every chunk are
   * left out.
   */
  manifest(trailer: number, innerRank: number): ChunkManifest {
    if (trailer > 0) {
      this.forEach((cell, position, length) => {
        if (length < trailer) {
          throw new FreshetError("malformed", "a chunk is shorter than its checksum", {
            found: `${length} bytes`,
            offset: position,
          });
        }
        this.#lengths[cell] = length - trailer;
      });
    }
    return new ChunkManifest({
      grid: [...this.grid, ...new Array<number>(innerRank).fill(1)],
      uris: [this.#file.uri],
      uriIndex: this.#uriIndex,
      offsets: this.#offsets,
      lengths: this.#lengths,
      inlined: new Map(),
    });
  }
}

function stridesOf(grid: readonly number[]): readonly number[] {
  const strides = new Array<number>(grid.length).fill(1);
  for (let axis = grid.length - 2; axis >= 0; axis--) strides[axis] = (strides[axis + 1] as number) * (grid[axis + 1] as number);
  return strides;
}
