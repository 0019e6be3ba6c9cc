import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { FormState } from "../../src/contract/index.ts";
import { Forms } from "../../src/publication/index.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { nameOf, noon, type Workshop, type WorkshopOptions } from "./workshop.ts";

/** `products` with these items of `also`. */
export const withForms = (...forms: readonly string[]): NonNullable<WorkshopOptions["products"]> =>
  `[ { timeseries: { calendar: { every: 1d, at: "12:00Z" }, store: store, split: 50, also: [ ${forms.join(", ")} ] } } ]`;

export const JSON_FORM = "{ kerchunk-json: { to: forms/json, every: 0s } }";
export const ZSTD_FORM = "{ kerchunk-json: { to: forms/zstd, every: 0s, compress: zstd } }";
export const PARQUET_FORM = "{ kerchunk-parquet: { to: forms/parquet, every: 0s, records: 100 } }";
export const EACH_FORM = '{ references: { to: forms/each, every: 0s, each: "{valid:%Y}/{file}.json" } }';

/** Writes the forms that are due, as a worker would that knows nothing yet. */
export function publishForms(workshop: Workshop, now: () => number = Date.now): Promise<FormState[]> {
  const { ledger, scans, dataset } = workshop;
  return new Forms({ ledger, scans, now }).publish(dataset, () => undefined, new AbortController().signal);
}

/** A granule of the n-th day whose cells all have this value. */
export const deliver = (workshop: Workshop, day: number, value: number) =>
  workshop.deliver(nameOf(day), granuleBytes({ seconds: [noon(day) / 1000], value: () => value }));

/** The pointer of a form of the workshop's, and where what it names is. */
export async function pointed(workshop: Workshop, form: string): Promise<{ readonly sequence: number; readonly place: string }> {
  const folder = join(workshop.folder, "forms", form);
  const { sequence, path } = JSON.parse(await readFile(join(folder, "pointer.json"), "utf8"));
  return { sequence, place: join(folder, path) };
}

/** Everything in a form's folder. */
export async function filesOf(workshop: Workshop, form: string): Promise<string[]> {
  const entries = await readdir(join(workshop.folder, "forms", form), { recursive: true, withFileTypes: true });
  const root = join(workshop.folder, "forms", form);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .toSorted();
}
