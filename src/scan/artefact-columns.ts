import { endianness } from "node:os";
import { ChunkManifest } from "../virtual/index.ts";

/*
 * The manifests of all arrays in columns, one array after the other:
 *
 *     cells          per cell       index into the array's uris; all ones: inline or missing
 *     offsets        per range      offset minus the end of the range before it in the same array: mostly 0
 *     lengths        per range
 *     inlineCells    per inlined    number of the cell
 *     inlineLengths  per inlined
 *     inlineBytes    the inlined bytes
 *
 * Offsets and lengths are u32 or i32 where all values fit, else f64.
 */
const COLUMNS = ["cells", "offsets", "lengths", "inlineCells", "inlineLengths", "inlineBytes"] as const;
type ColumnName = (typeof COLUMNS)[number];

const TYPES = { u8: Uint8Array, u32: Uint32Array, i32: Int32Array, f64: Float64Array } as const;
type ColumnType = keyof typeof TYPES;
type Column = Uint8Array | Uint32Array | Int32Array | Float64Array;

/** What the header says of a column: its type, how many values it has, and where it begins, in bytes from the first column. */
type Directory = readonly (readonly [name: ColumnName, type: ColumnType, count: number, at?: number])[];

/** What the header says of one manifest. */
export interface JsonManifest {
  readonly grid: readonly number[];
  /** Indices into the scan's uris. */
  readonly uris: readonly number[];
  readonly ranges: number;
  readonly inlined: number;
}

const NO_URI = 0xffff_ffff;

/** Takes manifests one by one and gives their columns. */
export class ManifestColumns {
  readonly uris: string[] = [];
  readonly #uriNumbers = new Map<string, number>();
  /** Of each column, the pieces that the manifests gave. */
  readonly #pieces: Record<ColumnName, (Float64Array | Uint32Array | Uint8Array)[]> = {
    cells: [],
    offsets: [],
    lengths: [],
    inlineCells: [],
    inlineLengths: [],
    inlineBytes: [],
  };

  add(manifest: ChunkManifest): JsonManifest {
    const { uriIndex } = manifest;
    const offsets = new Float64Array(manifest.cells);
    const lengths = new Float64Array(manifest.cells);
    let ranges = 0;
    let end = 0;
    for (let cell = 0; cell < manifest.cells; cell++) {
      if (uriIndex[cell] === NO_URI) continue;
      const offset = manifest.offsets[cell] as number;
      const length = manifest.lengths[cell] as number;
      offsets[ranges] = offset - end;
      lengths[ranges] = length;
      ranges++;
      end = offset + length;
    }
    const { cells, offsets: starts, lengths: sizes, inlineCells, inlineLengths, inlineBytes } = this.#pieces;
    cells.push(uriIndex);
    starts.push(offsets.subarray(0, ranges));
    sizes.push(lengths.subarray(0, ranges));
    inlineCells.push(Uint32Array.from(manifest.inlined.keys()));
    inlineLengths.push(Float64Array.from(manifest.inlined.values(), (bytes) => bytes.length));
    inlineBytes.push(...manifest.inlined.values());
    return {
      grid: manifest.grid,
      uris: manifest.uris.map((uri) => this.#numberOf(uri)),
      ranges,
      inlined: manifest.inlined.size,
    };
  }

  directory(): Directory {
    let at = 0;
    return COLUMNS.map((name) => {
      const type = name === "inlineBytes" ? "u8" : narrowest(this.#pieces[name]);
      const count = this.#pieces[name].reduce((sum, piece) => sum + piece.length, 0);
      const begin = at;
      at = paddedEnd(begin, type, count);
      return [name, type, count, begin];
    });
  }

  /** The columns as the directory lays them out. */
  bytes(directory: Directory): Uint8Array<ArrayBuffer> {
    requireLittleEndian();
    const [, lastType, lastCount, lastBegin = 0] = directory.at(-1) as Directory[number];
    const bytes = new Uint8Array(paddedEnd(lastBegin, lastType, lastCount));
    for (const [name, type, count, begin = 0] of directory) {
      const column = new TYPES[type](bytes.buffer, begin, count);
      let at = 0;
      for (const piece of this.#pieces[name]) {
        column.set(piece, at);
        at += piece.length;
      }
    }
    return bytes;
  }

  #numberOf(uri: string): number {
    let number = this.#uriNumbers.get(uri);
    if (number === undefined) {
      number = this.uris.push(uri) - 1;
      this.#uriNumbers.set(uri, number);
    }
    return number;
  }
}

function narrowest(pieces: readonly (Float64Array | Uint32Array | Uint8Array)[]): ColumnType {
  let least = 0;
  let most = 0;
  for (const piece of pieces) {
    for (let index = 0; index < piece.length; index++) {
      const value = piece[index] as number;
      if (value < least) least = value;
      if (value > most) most = value;
    }
  }
  if (least >= 0 && most < 2 ** 32) return "u32";
  return least >= -(2 ** 31) && most < 2 ** 31 ? "i32" : "f64";
}

/**
 * Gives the manifests back, in the order in which they were added. `start` is where the columns begin in `buffer`, a multiple
 * of 8. @throws Error when the columns are shorter than the directory or a manifest says.
 */
export function manifestReader(
  buffer: ArrayBuffer,
  start: number,
  directory: Directory,
  uris: readonly string[],
): (manifest: JsonManifest) => ChunkManifest {
  requireLittleEndian();
  const columns = layColumns(buffer, start, directory);
  const at: Record<ColumnName, number> = { cells: 0, offsets: 0, lengths: 0, inlineCells: 0, inlineLengths: 0, inlineBytes: 0 };
  const next = (name: ColumnName, count: number): Column => {
    const column = columns[name];
    const from = at[name];
    if (!(count >= 0) || from + count > column.length) throw new Error(`column ${name} ends early`);
    at[name] = from + count;
    return column.subarray(from, from + count);
  };
  return ({ grid, uris: numbers, ranges, inlined }) => {
    const count = grid.reduce((product, length) => product * length, 1);
    const uriIndex = Uint32Array.from(next("cells", count));
    const offsets = new Float64Array(count);
    const lengths = new Float64Array(count);
    const starts = next("offsets", ranges);
    const sizes = next("lengths", ranges);
    let range = 0;
    let end = 0;
    for (let cell = 0; cell < count; cell++) {
      if (uriIndex[cell] === NO_URI) continue;
      if (range >= ranges) throw new Error("a manifest has more ranges than it says");
      const offset = end + (starts[range] as number);
      const length = sizes[range++] as number;
      offsets[cell] = offset;
      lengths[cell] = length;
      end = offset + length;
    }
    const inlineLengths = next("inlineLengths", inlined);
    const pieces = new Map<number, Uint8Array>();
    next("inlineCells", inlined).forEach((cell, index) => {
      pieces.set(cell, Uint8Array.from(next("inlineBytes", inlineLengths[index] as number)));
    });
    return new ChunkManifest({
      grid,
      uris: numbers.map((number) => uris[number] as string),
      uriIndex,
      offsets,
      lengths,
      inlined: pieces,
    });
  };
}

function layColumns(buffer: ArrayBuffer, start: number, directory: Directory): Record<ColumnName, Column> {
  const columns: Partial<Record<ColumnName, Column>> = {};
  let at = start;
  for (const [name, type, count] of directory) {
    columns[name] = new TYPES[type](buffer, at, count);
    at = paddedEnd(at, type, count);
  }
  for (const name of COLUMNS) if (columns[name] === undefined) throw new Error(`column ${name} is missing`);
  return columns as Record<ColumnName, Column>;
}

function paddedEnd(begin: number, type: ColumnType, count: number): number {
  const bytes = count * TYPES[type].BYTES_PER_ELEMENT;
  return begin + bytes + (-bytes & 7);
}

function requireLittleEndian(): void {
  if (endianness() !== "LE") throw new Error("scans are stored little-endian, and this machine is not");
}
