import * as zarr from "zarrita";
import type { Dataset } from "../../../src/dataset/index.ts";
import { lookAtProduct } from "../../../src/publication/index.ts";

const FILL = -32_768;
/** Views that are groups of groups. */
const PARENTS = ["run", "valid", "offset"];

/** A version of a forecast, and the groups of its views. */
export interface SeenVersion {
  readonly store: zarr.AsyncReadable;
  readonly groups: readonly string[];
}

/** A view as a reader finds it. */
export interface SeenView {
  /** Of every cell in C order, milliseconds since 1970. */
  readonly validMs: number[];
  /** The value of every cell; undefined for a gap. */
  readonly values: (number | undefined)[];
  /** The coordinate `run`, milliseconds since 1970. */
  readonly runsMs: number[];
}

/** The published version of a dataset's forecast, or another one; undefined where there is none. */
export async function viewsIn(dataset: Dataset, version?: string): Promise<SeenVersion | undefined> {
  const [product] = dataset.products;
  const state = product && (await lookAtProduct(dataset, product));
  if (state?.stored === undefined) return undefined;
  const reader = await state.store.reader(version ?? state.head);
  const names = async (folder: string): Promise<string[]> =>
    (await reader.listDir(folder)).map((name) => name.replace(/\/$/, "")).filter((name) => !/^_|^zarr\.json$/.test(name));
  const groups: string[] = [];
  for (const name of await names("")) {
    if (PARENTS.includes(name)) groups.push(...(await names(`${name}/`)).map((child) => `${name}/${child}`));
    else groups.push(name);
  }
  return { store: reader as unknown as zarr.AsyncReadable, groups };
}

export async function readView({ store }: SeenVersion, group: string): Promise<SeenView> {
  const read = async (name: string): Promise<{ readonly shape: number[]; readonly data: number[] }> => {
    const array = await zarr.open(zarr.root(store).resolve(`/${group}/${name}`), { kind: "array" });
    if (array.shape.includes(0)) return { shape: array.shape, data: [] };
    const { data } = await zarr.get(array);
    return { shape: array.shape, data: Array.from(data as Iterable<number | bigint>, Number) };
  };
  const time = await read("time");
  const sst = await read("sst");
  const run = await read("run");
  const size = sst.data.length / Math.max(1, time.data.length);
  const values = time.data.map((_, cell) => {
    const own = new Set(sst.data.slice(cell * size, (cell + 1) * size));
    const [value] = own;
    if (own.size !== 1) throw new Error(`cell ${cell} of ${group} holds ${[...own]}`);
    return value === FILL ? undefined : value;
  });
  const toMs = (seconds: number): number => seconds * 1000;
  return { validMs: time.data.map(toMs), values, runsMs: run.data.map(toMs) };
}
