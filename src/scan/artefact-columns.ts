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

/** What the header says of a column: its type and how many values it has. */
type Directory = readonly (readonly [name: ColumnName, type: ColumnType, count: number])[];

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
  readonly #values: Record<Exclude<ColumnName, "inlineBytes">, number[]> = {
    cells: [],
    offsets: [],
    lengths: [],
    inlineCells: [],
    inlineLengths: [],
  };
  readonly #inlineBytes: Uint8Array[] = [];

  add(manifest: ChunkManifest): JsonManifest {
    const { cells, offsets, lengths, inlineCells, inlineLengths } = this.#values;
    const rangesBefore = offsets.length;
    let end = 0;
    for (let cell = 0; cell < manifest.cells; cell++) {
      const uri = manifest.uriIndex[cell] as number;
      cells.push(uri);
      if (uri === NO_URI) continue;
      const offset = manifest.offsets[cell] as number;
      const length = manifest.lengths[cell] as number;
      offsets.push(offset - end);
      lengths.push(length);
      end = offset + length;
    }
    for (const [cell, bytes] of manifest.inlined) {
      inlineCells.push(cell);
      inlineLengths.push(bytes.length);
      this.#inlineBytes.push(bytes);
    }
    return {
      grid: manifest.grid,
      uris: manifest.uris.map((uri) => this.#numberOf(uri)),
      ranges: offsets.length - rangesBefore,
      inlined: manifest.inlined.size,
    };
  }

  directory(): Directory {
    return COLUMNS.map((name) => {
      if (name === "inlineBytes") return [name, "u8", this.#inlineBytes.reduce((sum, bytes) => sum + bytes.length, 0)];
      return [name, narrowest(this.#values[name]), this.#values[name].length];
    });
  }

  /** The columns in the order of the directory, padded. */
  bytes(): Uint8Array[] {
    requireLittleEndian();
    return this.directory().flatMap(([name, type, count]) => {
      const padding = new Uint8Array(-(count * TYPES[type].BYTES_PER_ELEMENT) & 7);
      if (name === "inlineBytes") return [...this.#inlineBytes, padding];
      return [new Uint8Array(TYPES[type].from(this.#values[name]).buffer), padding];
    });
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

function narrowest(values: readonly number[]): ColumnType {
  let least = 0;
  let most = 0;
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
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
    const bytes = count * TYPES[type].BYTES_PER_ELEMENT;
    columns[name] = new TYPES[type](buffer, at, count);
    at += bytes + (-bytes & 7);
  }
  for (const name of COLUMNS) if (columns[name] === undefined) throw new Error(`column ${name} is missing`);
  return columns as Record<ColumnName, Column>;
}

function requireLittleEndian(): void {
  if (endianness() !== "LE") throw new Error("scans are stored little-endian, and this machine is not");
}
