import * as zarr from "zarrita";
import {
  decodeAxis,
  epochGroup,
  groupOf,
  type PlacedGranule,
  type ViewChange,
  type ViewDifference,
  type ViewLayout,
} from "../products/index.ts";
import { type Reader, refusal, time } from "./refusal.ts";

/** Runs of a grid whose times are read back at most. */
const MOST_ROWS = 64;

/**
 * Looks at the views of a staged forecast, and at what changed in them, as a reader would: every array that has a view's leading dimensions is as long as they are; valid
 * times, runs and leads are those of the cells, in every view.
 */
export async function checkViews(
  reader: Reader,
  epoch: number,
  differences: readonly ViewDifference[],
  { shape }: PlacedGranule,
): Promise<{ readonly lengths: number; readonly times: number }> {
  const looked = { lengths: 0, times: 0 };
  for (const { wanted: view, changes, isGone } of differences) {
    const group = `${epochGroup(epoch)}${view.group}`;
    if (isGone) {
      if ((await reader.get(`${group.slice(1)}/zarr.json`)) !== null) throw refusal("a group", "none any more", group);
      continue;
    }
    for (const { path, role } of shape.arrays) {
      if (role === "static") continue;
      const bytes = await reader.get(`${group.slice(1)}${path}/zarr.json`);
      const found = bytes === null ? [] : (JSON.parse(Buffer.from(bytes).toString("utf8")) as { shape: number[] }).shape;
      if (view.lengths.some((length, dimension) => found[dimension] !== length))
        throw refusal(`[${found}]`, `[${view.lengths}, …]`, `${group}${path}`);
      looked.lengths++;
    }
    const beside = `${group}${groupOf(shape.axisPath)}`;
    const rows = rowsOf(view, changes);
    const decode = (value: number | bigint): number => decodeAxis(shape, value);
    for (const row of rows) looked.times += await checkTimes(reader, view, row, `${group}${shape.axisPath}`, decode);
    if (view.form === "line") {
      await checkAlong(reader, view, `${beside}/run`, ({ runMs }) => runMs / 1000);
      await checkAlong(reader, view, `${beside}/lead`, ({ leadMs }) => leadMs / 1000);
    } else {
      await checkValues(
        reader,
        `${beside}/run`,
        view.runsMs.map((ms) => ms / 1000),
      );
      await checkValues(
        reader,
        `${beside}/lead`,
        view.leadsMs.map((ms) => ms / 1000),
      );
    }
  }
  return looked;
}

/** Runs of a grid in which something changes, some of many; null: all of a line. */
function rowsOf({ form, lengths }: ViewLayout, changes: readonly ViewChange[]): (number | null)[] {
  const [, columns = 1] = lengths;
  if (form !== "grid") return [null];
  const rows = [...new Set(changes.map(({ at }) => Math.floor(at / columns)))];
  const stride = Math.max(1, Math.ceil(rows.length / MOST_ROWS));
  return rows.filter((_, index) => index % stride === 0);
}

async function checkTimes(
  reader: Reader,
  { form, lengths, validMs }: ViewLayout,
  row: number | null,
  path: string,
  decode: (value: number | bigint) => number,
): Promise<number> {
  const [, columns = 1] = lengths;
  const expected = form !== "grid" || row === null ? validMs : validMs.slice(row * columns, (row + 1) * columns);
  const found = (await valuesOf(reader, path, row)).map(decode);
  const wrong = expected.findIndex((ms, at) => found[at] !== ms);
  if (wrong >= 0) throw refusal(`${time(found[wrong])} at ${wrong}`, time(expected[wrong]), path);
  return found.length;
}

/** Of the cells that hold something. */
async function checkAlong(
  reader: Reader,
  { cells }: ViewLayout,
  path: string,
  expected: (cell: NonNullable<ViewLayout["cells"][number]>) => number,
): Promise<void> {
  const found = await valuesOf(reader, path);
  const wrong = cells.findIndex((cell, at) => cell !== null && Number(found[at]) !== expected(cell));
  if (wrong >= 0) throw refusal(`${found[wrong]} at ${wrong}`, `${expected(cells[wrong] as never)}`, path);
}

async function checkValues(reader: Reader, path: string, expected: readonly number[]): Promise<void> {
  const found = await valuesOf(reader, path);
  if (expected.length !== found.length || expected.some((value, at) => Number(found[at]) !== value))
    throw refusal(`${found.slice(0, 4)}, …`, `${expected.slice(0, 4)}, …`, path);
}

async function valuesOf(reader: Reader, path: string, row: number | null = null): Promise<(number | bigint)[]> {
  const array = await zarr.open(zarr.root(reader as unknown as zarr.AsyncReadable).resolve(path), { kind: "array" });
  if (array.shape.includes(0)) return [];
  const { data } = await zarr.get(array, row === null ? null : [row, null]);
  return Array.from(data as Iterable<number | bigint>);
}
