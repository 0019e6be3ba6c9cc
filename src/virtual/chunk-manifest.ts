/** Where the bytes of one chunk are. `missing` reads as the array's storage fill value. */
export type ChunkReference =
  | { readonly kind: "missing" }
  /** `length` stored (encoded) bytes from `offset` of `uri`. */
  | { readonly kind: "range"; readonly uri: string; readonly offset: number; readonly length: number }
  /** The stored (encoded) bytes themselves. */
  | { readonly kind: "inline"; readonly bytes: Uint8Array };

const NO_URI = 0xffff_ffff;

/**
 * A reference for each cell of an array's chunk grid, in columns: 100 000 chunks are three typed arrays, not
 * 100 000 objects. Cells are numbered in C order over `grid`; a scalar has the empty grid and one cell.
 */
export class ChunkManifest {
  readonly grid: readonly number[];
  /** Every uri that a cell names, once. */
  readonly uris: readonly string[];
  /** Per cell: index into `uris`, or 0xffffffff for a cell that is inline or missing. */
  readonly uriIndex: Uint32Array;
  /** Per cell: absolute byte offset; exact up to 2^53. */
  readonly offsets: Float64Array;
  /** Per cell: stored bytes. */
  readonly lengths: Float64Array;
  /** The inlined cells. */
  readonly inlined: ReadonlyMap<number, Uint8Array>;

  constructor(parts: Pick<ChunkManifest, "grid" | "uris" | "uriIndex" | "offsets" | "lengths" | "inlined">) {
    this.grid = parts.grid;
    this.uris = parts.uris;
    this.uriIndex = parts.uriIndex;
    this.offsets = parts.offsets;
    this.lengths = parts.lengths;
    this.inlined = parts.inlined;
  }

  /** Cells in all. */
  get cells(): number {
    return this.uriIndex.length;
  }

  /** The reference of a cell. `cell` is in [0, cells). */
  at(cell: number): ChunkReference {
    const bytes = this.inlined.get(cell);
    if (bytes !== undefined) return { kind: "inline", bytes };
    const uri = this.uris[this.uriIndex[cell] ?? NO_URI];
    if (uri === undefined) return { kind: "missing" };
    return { kind: "range", uri, offset: this.offsets[cell] as number, length: this.lengths[cell] as number };
  }

  /** How many cells are of each kind, and the stored bytes that the ranges cover. */
  counts(): { readonly ranges: number; readonly inlined: number; readonly missing: number; readonly rangeBytes: number } {
    let ranges = 0;
    let rangeBytes = 0;
    for (let cell = 0; cell < this.cells; cell++) {
      if (this.uriIndex[cell] === NO_URI) continue;
      ranges++;
      rangeBytes += this.lengths[cell] as number;
    }
    return { ranges, inlined: this.inlined.size, missing: this.cells - ranges - this.inlined.size, rangeBytes };
  }
}

/** Fills a manifest cell by cell; cells that nobody sets are missing. */
export class ChunkManifestBuilder {
  readonly grid: readonly number[];
  readonly #uris: string[] = [];
  readonly #uriIndex: Uint32Array;
  readonly #offsets: Float64Array;
  readonly #lengths: Float64Array;
  readonly #inlined = new Map<number, Uint8Array>();
  #lastUri: string | undefined;
  #lastIndex = NO_URI;

  constructor(grid: readonly number[]) {
    const cells = grid.reduce((product, count) => product * count, 1);
    this.grid = grid;
    this.#uriIndex = new Uint32Array(cells).fill(NO_URI);
    this.#offsets = new Float64Array(cells);
    this.#lengths = new Float64Array(cells);
  }

  setRange(cell: number, uri: string, offset: number, length: number): void {
    this.#inlined.delete(cell);
    this.#uriIndex[cell] = this.#indexOf(uri);
    this.#offsets[cell] = offset;
    this.#lengths[cell] = length;
  }

  setInline(cell: number, bytes: Uint8Array): void {
    this.#uriIndex[cell] = NO_URI;
    this.#inlined.set(cell, bytes);
  }

  build(): ChunkManifest {
    return new ChunkManifest({
      grid: this.grid,
      uris: this.#uris,
      uriIndex: this.#uriIndex,
      offsets: this.#offsets,
      lengths: this.#lengths,
      inlined: this.#inlined,
    });
  }

  #indexOf(uri: string): number {
    if (uri === this.#lastUri) return this.#lastIndex;
    let index = this.#uris.indexOf(uri);
    if (index < 0) index = this.#uris.push(uri) - 1;
    this.#lastUri = uri;
    this.#lastIndex = index;
    return index;
  }
}

/** Number of chunks along each dimension: ceil(shape / chunkShape). A zero-length dimension has none. */
export function chunkGrid(shape: readonly number[], chunkShape: readonly number[]): number[] {
  return shape.map((length, dimension) => Math.ceil(length / (chunkShape[dimension] as number)));
}

/** The index of a cell, the cells being numbered in C order over `grid`. The empty grid's one cell has the empty index. */
export function indexOfCell(cell: number, grid: readonly number[]): number[] {
  const index = new Array<number>(grid.length).fill(0);
  for (let dimension = grid.length - 1, left = cell; dimension >= 0; dimension--) {
    const length = grid[dimension] as number;
    index[dimension] = left % length;
    left = Math.floor(left / length);
  }
  return index;
}
