import { join } from "node:path";
import { z } from "zod";
import { FreshetError, isFreshetError } from "../../errors/index.ts";
import { writeWhole } from "../../storage/index.ts";
import { type ChunkReference, indexOfCell } from "../../virtual/index.ts";
import { type ArrayChange, chunkBytes, type StoreChange } from "../icechunk/store-change.ts";
import type { WrittenReferences } from "../kerchunk-json/index.ts";
import { patchedChunks } from "../row-patch.ts";
import { plainUri } from "../uri-mapping.ts";
import { Zarr2Metadata } from "../zarr2/index.ts";
import type { FormFiles } from "./form-files.ts";
import type { Partition } from "./partition.ts";
import { Partitions } from "./partitions.ts";

/** What the next version needs to know of one, beside its partitions. */
const RECORD = "freshet.json";

const recordSchema = z.strictObject({
  format: z.literal(1),
  records: z.int().positive(),
  groups: z.record(z.string(), z.string()),
  arrays: z.record(z.string(), z.strictObject({ metadata: z.string(), ranges: z.int(), inlined: z.int() })),
});
type FormRecord = z.infer<typeof recordSchema>;

/** An array of the version that is being written. */
interface ArrayState {
  grid: readonly number[];
  /** The grid of the previous version. */
  readonly gridBefore: readonly number[] | undefined;
  /** Chunks by kind. */
  ranges: number;
  inlined: number;
}

type Placed = readonly [index: readonly number[], reference: ChunkReference];

export interface KerchunkParquetOptions {
  /** A folder that is not there yet. */
  readonly folder: string;
  /** Rows to a partition. */
  readonly records: number;
  /** A version that this wrote, with as many records: the changes are changes of it, and what they leave alone is taken over. */
  readonly previous?: FormFiles | undefined;
  /** The uri of a chunk as the references name it. Default: `plainUri`. */
  readonly uri?: ((uri: string) => string) | undefined;
}

export interface WrittenParquet extends WrittenReferences {
  /** Partitions that were written, and that were taken over as they were. */
  partitions: { written: number; kept: number };
}

/**
 * Writes references as Parquet, in the layout that fsspec's LazyReferenceMapper reads: `.zmetadata`, and for each array
 * `refs.<n>.parq` with rows n · records up to (n + 1) · records of its chunk grid in C order. Partitions without a reference are
 * not written. The folder is whole when this resolves, and not before.
 * @throws FreshetError `corrupt` for a previous version that cannot be read.
 */
export async function kerchunkParquet(
  changes: AsyncIterable<StoreChange>,
  { folder, records, previous, uri = plainUri }: KerchunkParquetOptions,
): Promise<WrittenParquet> {
  const form = new ParquetForm(folder, records, uri, previous, previous === undefined ? undefined : await readRecord(previous));
  for await (const change of changes) await form.apply(change);
  return form.finish();
}

/** True for a version that `kerchunkParquet` wrote whole, with so many records. */
export async function isParquetForm(files: FormFiles, records: number): Promise<boolean> {
  try {
    return (await readRecord(files)).records === records;
  } catch (error) {
    if (isFreshetError(error, "corrupt")) return false;
    throw error;
  }
}

class ParquetForm {
  readonly #folder: string;
  readonly #records: number;
  readonly #uri: (uri: string) => string;
  readonly #metadata = new Zarr2Metadata();
  readonly #arrays = new Map<string, ArrayState>();
  readonly #partitions: Partitions;

  constructor(
    folder: string,
    records: number,
    uri: (uri: string) => string,
    previous: FormFiles | undefined,
    before: FormRecord | undefined,
  ) {
    this.#folder = folder;
    this.#records = records;
    this.#uri = uri;
    this.#partitions = new Partitions(folder, previous, records);
    for (const [path, text] of Object.entries(before?.groups ?? {})) this.#metadata.setGroup(path, text);
    for (const [path, { metadata, ranges, inlined }] of Object.entries(before?.arrays ?? {})) {
      const grid = this.#metadata.setArray(path, metadata);
      if (grid !== undefined) this.#arrays.set(path, { grid, gridBefore: grid, ranges, inlined });
    }
  }

  async apply({ groups, arrays }: StoreChange): Promise<void> {
    for (const { path, metadata } of groups) this.#metadata.setGroup(path, metadata);
    for (const array of arrays) await this.#applyArray(array);
  }

  async #applyArray({ path, metadata, virtual, native, erase, patch }: ArrayChange): Promise<void> {
    const grid = this.#metadata.setArray(path, metadata);
    if (grid === undefined) return;
    const state = this.#arrays.get(path) ?? { grid, gridBefore: undefined, ranges: 0, inlined: 0 };
    this.#arrays.set(path, state);
    if (`${grid}` !== `${state.grid}`) await this.#regrid(path, state, grid);
    await this.#set(path, state, this.#references({ virtual, erase }));
    for (const chunk of native) await this.#set(path, state, [[chunk.index, { kind: "inline", bytes: await chunkBytes(chunk) }]]);
    if (patch === undefined) return;
    const present = async (index: readonly number[]): Promise<Uint8Array | undefined> => {
      const { number, row } = this.#placeOf(state.grid, index);
      const reference = (await this.#partitions.open(path, number, false)).at(row);
      return reference.kind === "inline" ? reference.bytes : undefined;
    };
    for await (const { index, bytes } of patchedChunks(patch, present))
      await this.#set(path, state, [[index, { kind: "inline", bytes }]]);
  }

  *#references({ virtual, erase }: Pick<ArrayChange, "virtual" | "erase">): Generator<Placed> {
    for (const index of erase) yield [index, { kind: "missing" }];
    let [uri, mapped] = ["", ""];
    for (const chunk of virtual) {
      if (chunk.uri !== uri) [uri, mapped] = [chunk.uri, this.#uri(chunk.uri)];
      yield [chunk.index, { kind: "range", uri: mapped, offset: chunk.offset, length: chunk.length }];
    }
  }

  async finish(): Promise<WrittenParquet> {
    await this.#partitions.flush();
    const record: FormRecord = { format: 1, records: this.#records, groups: {}, arrays: {} };
    const { groups, arrays } = this.#metadata.texts;
    let references = 0;
    let inlined = 0;
    for (const [path, text] of arrays) {
      const state = this.#arrays.get(path) as ArrayState;
      if (state.gridBefore !== undefined && isSameOrder(state.gridBefore, state.grid)) {
        for (let number = 0; number < this.#partitionsOf(state.grid); number++) await this.#partitions.keep(path, number);
      }
      record.arrays[path] = { metadata: text, ranges: state.ranges, inlined: state.inlined };
      references += state.ranges;
      inlined += state.inlined;
    }
    Object.assign(record.groups, Object.fromEntries(groups));
    const hasMissing = (path: string): boolean => {
      const { grid, ranges, inlined: own } = this.#arrays.get(path) as ArrayState;
      return ranges + own < cellsOf(grid);
    };
    const metadata = Object.fromEntries(this.#metadata.entries(hasMissing));
    await writeWhole(join(this.#folder, RECORD), Buffer.from(JSON.stringify(record)));
    await writeWhole(join(this.#folder, ".zmetadata"), Buffer.from(JSON.stringify({ metadata, record_size: this.#records })));
    const { written, copied: kept } = this.#partitions;
    return { references, inlined, refused: this.#metadata.refused, partitions: { written, kept } };
  }

  async #set(path: string, state: ArrayState, references: Iterable<Placed>): Promise<void> {
    let open: { readonly number: number; readonly partition: Partition } | undefined;
    for (const [index, reference] of references) {
      const { number, row } = this.#placeOf(state.grid, index);
      if (open?.number !== number) open = { number, partition: await this.#partitions.open(path, number) };
      count(state, open.partition.at(row), -1);
      open.partition.set(row, reference);
      count(state, reference, 1);
    }
  }

  /**
   * The array has another grid: cells keep their places where it only grew or shrank along its first dimension, and move elsewhere.
   * Those outside it are gone.
   */
  async #regrid(path: string, state: ArrayState, grid: readonly number[]): Promise<void> {
    const before = state.grid;
    state.grid = grid;
    const cells = cellsOf(grid);
    if (isSameOrder(before, grid)) {
      const cellsBefore = cellsOf(before);
      for (let number = Math.floor(cells / this.#records); number < this.#partitionsOf(before); number++) {
        const partition = await this.#partitions.open(path, number);
        const last = Math.min(this.#records, cellsBefore - number * this.#records);
        for (let row = Math.max(0, cells - number * this.#records); row < last; row++) {
          count(state, partition.at(row), -1);
          partition.set(row, { kind: "missing" });
        }
      }
      return;
    }
    state.ranges = 0;
    state.inlined = 0;
    this.#partitions.beginAnew(path);
    for (let number = 0; number < this.#partitionsOf(before); number++) {
      const partition = await this.#partitions.previous(path, number);
      if (partition !== undefined) await this.#set(path, state, moved(partition, number * this.#records, before, grid));
    }
  }

  #placeOf(grid: readonly number[], index: readonly number[]): { readonly number: number; readonly row: number } {
    const cell = grid.reduce((sum, length, axis) => sum * length + (index[axis] as number), 0);
    return { number: Math.floor(cell / this.#records), row: cell % this.#records };
  }

  #partitionsOf(grid: readonly number[]): number {
    return Math.ceil(cellsOf(grid) / this.#records);
  }
}

/** The references of a partition at their places in another grid. @param from the number of its first cell. */
function* moved(partition: Partition, from: number, before: readonly number[], grid: readonly number[]): Generator<Placed> {
  for (let row = 0; row < partition.records; row++) {
    const reference = partition.at(row);
    if (reference.kind === "missing") continue;
    const index = indexOfCell(from + row, before);
    if (index.every((at, axis) => at < (grid[axis] as number))) yield [index, reference];
  }
}

function count(state: ArrayState, reference: ChunkReference, by: number): void {
  if (reference.kind === "range") state.ranges += by;
  else if (reference.kind === "inline") state.inlined += by;
}

function cellsOf(grid: readonly number[]): number {
  return grid.reduce((product, length) => product * length, 1);
}

/** Cells have the same numbers in both. */
function isSameOrder(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => axis === 0 || length === b[axis]);
}

async function readRecord(files: FormFiles): Promise<FormRecord> {
  const bytes = await files.read(RECORD);
  try {
    return recordSchema.parse(JSON.parse(Buffer.from(bytes ?? []).toString()));
  } catch (cause) {
    throw new FreshetError("corrupt", "the record of a Parquet form cannot be read", {
      found: bytes === undefined ? "none" : (cause as Error).message,
      uri: `${files.place}/${RECORD}`,
      cause,
    });
  }
}
