import * as zarr from "zarrita";
import type { Dataset, Product } from "../dataset/index.ts";
import {
  alongGrid,
  calendarOf,
  decodeAxis,
  epochGroup,
  isOfOne,
  type PlacedGranule,
  placementRules,
  type ShapedArray,
} from "../products/index.ts";
import type { Sample } from "../scan/index.ts";
import type { ChunkManifest } from "../virtual/index.ts";
import { hashOfChunk } from "../witness/index.ts";
import { type IcechunkStore, storeError } from "../writers/icechunk/index.ts";
import type { ChangeParts, Testimony } from "./change-parts.ts";
import { checkViews } from "./check-views.ts";
import { type Reader, refusal, time } from "./refusal.ts";
import type { Tick, Turn } from "./turn.ts";
import type { StepPlace } from "./view-parts.ts";
import type { WantedEpoch } from "./wanted.ts";

/** Slots whose times are read back at most; of more, evenly chosen ones. */
const MOST_TIMES = 512;

/** What was looked at. */
export interface Verified {
  readonly lengths: number;
  readonly times: number;
  readonly chunks: number;
}

/**
 * Looks at a staged version as a reader would, before anybody else can. Every array along the axis is as long as the layout says.
 * The times of the changed slots are those of the calendar, and ascend. Nothing has gone that was not withdrawn or replaced.
 * Chunks, read through their references and decoded by zarrita, are what another decoder found in the sources when they were
 * scanned.
 * @throws FreshetError `corrupt` (or `source-changed`, where a source is not what it was); then the version is not published. A
 *   check that found nothing to look at fails too.
 */
export async function verifyStaged(input: {
  readonly store: IcechunkStore;
  readonly version: string;
  readonly dataset: Dataset;
  readonly product: Product;
  readonly turn: Turn;
  readonly parts: ChangeParts;
  readonly tick: Tick;
}): Promise<Verified> {
  const { store, version, dataset, product, turn, parts, tick } = input;
  const reader = await store.reader(version);
  const verified = { lengths: 0, times: 0, chunks: 0 };
  for (const epoch of turn.wanted.epochs) {
    const template = parts.templates.get(epoch.epoch);
    // Nothing of this epoch was written.
    if (template === undefined) continue;
    if (product.kind === "forecast") {
      const checked = await checkViews(reader, epoch.epoch, parts.views.get(epoch.epoch) ?? [], template);
      verified.lengths += checked.lengths;
      verified.times += checked.times;
      tick("verifying: times");
      continue;
    }
    verified.lengths += isOfOne(product)
      ? await checkShapes(reader, epoch, template)
      : await checkLengths(reader, epoch, template);
    if (product.kind !== "collection" || product.along === "coordinate")
      verified.times += await checkTimes(reader, epoch, template, dataset, product);
    tick("verifying: times");
  }
  requireNoRetraction(turn);
  if (parts.testimonies.length > 0 && verified.lengths === 0) throw refusal("nothing to look at", "an array along the axis", "/");
  const most = dataset.publish.verify.chunks;
  const { folder } = store;
  verified.chunks =
    (await checkChunks(reader, parts, most, folder, tick)) || (await readChunks(reader, parts, most, folder, tick));
  return verified;
}

async function checkLengths(reader: Reader, { epoch, layout, steps }: WantedEpoch, template: PlacedGranule): Promise<number> {
  let looked = 0;
  for (const { path, role, axisIndex } of template.shape.arrays) {
    if (role === "static") continue;
    const full = `${epochGroup(epoch)}${path}`;
    const bytes = await reader.get(`${full.slice(1)}/zarr.json`);
    const metadata = bytes === null ? undefined : (JSON.parse(Buffer.from(bytes).toString("utf8")) as { shape: number[] });
    const found = metadata?.shape[axisIndex ?? 0];
    if (found !== layout.slots * steps) throw refusal(`${found} steps`, `${layout.slots * steps}`, full);
    looked++;
  }
  return looked;
}

/** Of the one granule that is the whole product: every array is there, and as long as the granule's. */
async function checkShapes(reader: Reader, { epoch, layout }: WantedEpoch, template: PlacedGranule): Promise<number> {
  if (layout.granules === 0) return 0;
  for (const { path, array } of template.shape.arrays) {
    const full = `${epochGroup(epoch)}${path}`;
    const bytes = await reader.get(`${full.slice(1)}/zarr.json`);
    const metadata = bytes === null ? undefined : (JSON.parse(Buffer.from(bytes).toString("utf8")) as { shape: number[] });
    if (`${metadata?.shape}` !== `${array.shape}`) throw refusal(`[${metadata?.shape}]`, `[${array.shape}]`, full);
  }
  return template.shape.arrays.length;
}

/** The axis as a reader decodes it, at the changed slots and beside them. */
async function checkTimes(
  reader: Reader,
  { epoch, layout, steps, difference }: WantedEpoch,
  { shape }: PlacedGranule,
  dataset: Dataset,
  product: Product,
): Promise<number> {
  if (layout.slots === 0) return 0;
  const path = `${epochGroup(epoch)}${shape.axisPath}`;
  const array = await zarr.open(zarr.root(reader as unknown as zarr.AsyncReadable).resolve(path), { kind: "array" });
  const rules = placementRules(dataset, product, steps);
  const calendar = calendarOf(product);
  const stride = Math.max(1, Math.ceil(difference.changes.length / MOST_TIMES));
  let looked = 0;
  for (let at = 0; at < difference.changes.length; at += stride) {
    const { slot, row } = difference.changes[at] as (typeof difference.changes)[number];
    const from = Math.max(0, slot * steps - 1);
    const { data } = await zarr.get(array, [zarr.slice(from, Math.min(layout.slots * steps, (slot + 1) * steps + 1))]);
    const times = Array.from(data as Iterable<number | bigint>, (value) => decodeAxis(shape, value));
    const wrong = times.findIndex((ms, index) => index > 0 && ms <= (times[index - 1] as number));
    if (wrong > 0)
      throw refusal(`step ${from + wrong} at ${time(times[wrong])} after ${time(times[wrong - 1])}`, "ascending times", path);
    for (let step = 0; step < steps; step++) {
      const found = times[slot * steps + step - from];
      const expected =
        rules.missing === "gap" ? calendar.timeAt(slot * steps + step, layout.originMs ?? 0) : step === 0 ? row?.validMs : found;
      if (found !== expected) throw refusal(`slot ${slot} at ${time(found)}`, time(expected), path);
    }
    looked++;
  }
  return looked;
}

/** Granules leave because their source took them back, another one came, or an operator said so. */
function requireNoRetraction({ wanted, arrivals, plan }: Turn): void {
  if (plan.kind !== "publication") return;
  const displaced = new Set(wanted.displaced.map(({ key }) => key));
  const news = new Set(arrivals.map(({ key }) => key));
  for (const { stored, layout } of wanted.epochs) {
    for (const slot of layout.changedSince(stored?.layout ?? layout) ?? []) {
      const before = stored?.layout.at(slot);
      if (before === null || before === undefined || displaced.has(before.key) || news.has(before.key)) continue;
      if (layout.slotOf(before.key) === undefined) throw refusal(`no ${before.key}`, "what was there before", `slot ${slot}`);
    }
  }
}

/** Runs the look at one granule's chunk; what it throws names the granule. */
async function naming<T>(testimony: Testimony, folder: string, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    throw storeError(error, folder).at({ granule: testimony.key });
  }
}

async function checkChunks(reader: Reader, parts: ChangeParts, most: number, folder: string, tick: Tick): Promise<number> {
  const { testimonies, templates } = parts;
  let looked = 0;
  for (const { testimony, sample } of chosen(testimonies, most)) {
    const template = templates.get(testimony.epoch);
    const place = template && placeOf(sample, testimony);
    if (place === undefined) continue;
    await naming(testimony, folder, async () => {
      const { sha256 } = await hashOfChunk(reader as unknown as zarr.AsyncReadable, place.path, place.index, place.extent);
      if (sha256 === sample.sha256) return;
      throw refusal(
        `values with sha256 ${sha256.slice(0, 16)}…`,
        `${sample.sha256.slice(0, 16)}…, as another decoder reads the source`,
        `${place.path} chunk [${place.index}]`,
      );
    });
    looked++;
    tick("verifying: chunks");
  }
  return looked;
}

/**
 * Where no other decoder had a word (a codec that it lacks, sizes that it refuses): that chunks are there, and that their sources
 * still are what they were.
 */
async function readChunks(
  reader: Reader,
  { testimonies }: ChangeParts,
  most: number,
  folder: string,
  tick: Tick,
): Promise<number> {
  let looked = 0;
  let written = 0;
  const stride = Math.max(1, Math.ceil(testimonies.length / most));
  for (const [number, testimony] of testimonies.entries()) {
    for (const shaped of testimony.granule.shape.arrays) {
      const { path, role } = shaped;
      const chunk = role === "along" || role === "whole" ? firstShown(shaped, testimony.places) : undefined;
      if (chunk === undefined) continue;
      written++;
      if (number % stride !== 0) continue;
      const place = placeOf({ path, ...chunk, sha256: "", isUnwritten: false }, testimony);
      await naming(testimony, folder, async () => {
        const bytes = place && (await reader.get([place.path.slice(1), "c", ...place.index].join("/")));
        if (bytes === null || bytes === undefined) throw refusal("no chunk", `one at [${place?.index}]`, path);
      });
      looked++;
      tick("verifying: chunks");
      break;
    }
  }
  if (looked === 0 && written > 0) {
    const silence = testimonies.map((testimony) => testimony.silence).find((reason) => reason !== "");
    throw refusal("no chunk that could be looked at", silence ?? "at least one", "/");
  }
  return looked;
}

/** A chunk of the granule that a source has written and readers see; of a forecast, where a chunk may hold several steps, one step of it. */
function firstShown(
  { array, axisIndex = 0, isNewAxis }: ShapedArray,
  places: Testimony["places"],
): Pick<Sample, "index" | "extent"> | undefined {
  const extent = array.chunkShape;
  const length = extent[axisIndex] as number;
  if (places === undefined || isNewAxis) {
    const index = firstWritten(array.manifest);
    return index && { index, extent };
  }
  for (const step of places.keys()) {
    const index = firstWritten(array.manifest, (at) => at[axisIndex] === Math.floor(step / length));
    if (index !== undefined) return { index: index.with(axisIndex, step), extent: extent.with(axisIndex, 1) };
  }
  return undefined;
}

/** The index of the first cell that a source has written. */
function firstWritten(
  manifest: ChunkManifest,
  isAsked: (index: readonly number[]) => boolean = () => true,
): number[] | undefined {
  for (let cell = 0; cell < manifest.cells; cell++) {
    if (manifest.at(cell).kind === "missing") continue;
    let left = cell;
    const index = manifest.grid.map((_, dimension) => {
      const size = manifest.grid.slice(dimension + 1).reduce((product, length) => product * length, 1);
      const at = Math.floor(left / size);
      left -= at * size;
      return at;
    });
    if (isAsked(index)) return index;
  }
  return undefined;
}

/** One sample of each granule in turn, granules evenly. Chunks that a source left unwritten read as the product's own fill. */
function chosen(testimonies: readonly Testimony[], most: number): { readonly testimony: Testimony; readonly sample: Sample }[] {
  const stride = Math.max(1, Math.floor(testimonies.length / Math.max(1, most)));
  const asked = testimonies.filter((_, index) => index % stride === 0);
  const picked: { testimony: Testimony; sample: Sample }[] = [];
  for (let round = 0; picked.length < most; round++) {
    let isLast = true;
    for (const testimony of asked) {
      const sample = testimony.samples.filter(({ isUnwritten }) => !isUnwritten)[round];
      if (sample === undefined) continue;
      isLast = false;
      if (picked.length < most) picked.push({ testimony, sample });
    }
    if (isLast) break;
  }
  return picked;
}

/** Where a granule's chunk is in the product; undefined for an array that is not kept by reference. */
export function placeOf(
  { path, index, extent }: Sample,
  { epoch, slot, granule, places }: Pick<Testimony, "epoch" | "slot" | "granule" | "places">,
): { path: string; index: number[]; extent: number[] } | undefined {
  const shaped = granule.shape.arrays.find((array) => array.path === path);
  if (shaped?.role === "whole") return { path: `${epochGroup(epoch)}${path}`, index: [...index], extent: [...extent] };
  if (shaped === undefined || shaped.role !== "along") return undefined;
  if (places !== undefined) return placeInView({ path, index, extent }, shaped, places);
  const full = `${epochGroup(epoch)}${path}`;
  if (shaped.isNewAxis) return { path: full, index: [slot, ...index], extent: [1, ...extent] };
  const axis = shaped.axisIndex ?? 0;
  const { cells } = alongGrid(shaped, granule.shape.validMs.length);
  return { path: full, index: index.with(axis, (index[axis] as number) + slot * cells) as number[], extent: [...extent] };
}

/** The chunk of one step; undefined for one that holds several, or that no view shows. */
function placeInView(
  { path, index, extent }: Pick<Sample, "path" | "index" | "extent">,
  { isNewAxis, axisIndex = 0 }: ShapedArray,
  places: ReadonlyMap<number, StepPlace>,
): { path: string; index: number[]; extent: number[] } | undefined {
  if (!isNewAxis && extent[axisIndex] !== 1) return undefined;
  const place = places.get(isNewAxis ? 0 : (index[axisIndex] as number));
  if (place === undefined) return undefined;
  const rest = isNewAxis ? index : index.toSpliced(axisIndex, 1);
  const restExtent = isNewAxis ? extent : extent.toSpliced(axisIndex, 1);
  return {
    path: `${place.group}${path}`,
    index: [...place.index, ...rest],
    extent: [...place.index.map(() => 1), ...restExtent],
  };
}
