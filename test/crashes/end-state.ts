import { readdir } from "node:fs/promises";
import { join } from "node:path";
import * as zarr from "zarrita";
import type { TimeseriesProduct } from "../../src/dataset/index.ts";
import { lookAtProduct } from "../../src/publication/index.ts";
import type { CrashWorld } from "./crash-world.ts";

const NUMBERS = 1_000;

/** All that people and programs can tell of a dataset, without what differs between two worlds of the same story: times, paths, ids. */
export interface EndState {
  /** Every revision as the ledger has it, by key and in the order of hearing, with the states that it went through. */
  readonly revisions: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
  /** Every publication, the first one first, with the granules that it wrote. */
  readonly publications: readonly string[];
  /** Every slot of every epoch. */
  readonly layout: readonly string[];
  /** What readers get, by array. */
  readonly values: Readonly<Record<string, readonly number[]>>;
  /** Our copies of the sources. */
  readonly copies: readonly string[];
}

/**
 * Reads the end state.
 * @throws Error when it contradicts itself: a sequence with gaps, a version that the ledger or the store does not have, a granule that
 *   stands twice or not where the ledger says.
 */
export async function readEndState(world: CrashWorld): Promise<EndState> {
  const { ledger, dataset, home } = world;
  const product = dataset.products[0] as TimeseriesProduct;
  const state = await lookAtProduct(dataset, product);
  if (state?.stored === undefined) throw new Error("nothing is published");
  const published = (await ledger.publications(dataset.name, product.name, NUMBERS)).toReversed();
  const versions = (await state.store.versions(NUMBERS)).toReversed();
  same(
    published.map(({ sequence }) => sequence),
    published.map((_, index) => index + 1),
    "sequence numbers",
  );
  same(
    versions.map(({ id }) => id),
    published.map(({ snapshot }) => snapshot),
    "versions of the store and publications of the ledger",
  );
  const publications: string[] = [];
  for (const { sequence, kind, granules } of published) {
    const members = await ledger.membersOf(dataset.name, product.name, sequence);
    publications.push(`#${sequence} ${kind}, ${granules} granules: ${members.map(({ key }) => key).join(" ")}`);
  }

  const revisions: string[] = [];
  const standing: string[] = [];
  for (const { key, identity, state: now, epoch } of await ledger.granules(dataset.name, { limit: NUMBERS })) {
    const history = (await ledger.history(dataset.name, key)).filter((event) => event.identity === identity);
    const way = history.map((event) => event.state).join(" → ");
    revisions.push(`${key} ${identity} is ${now}${epoch === undefined ? "" : `, epoch ${epoch}`}: ${way}`);
    if (now === "published") standing.push(`${key} ${identity}`);
  }

  const layout: string[] = [];
  const placed: string[] = [];
  const values: Record<string, readonly number[]> = {};
  const reader = (await state.store.reader(state.head)) as unknown as zarr.AsyncReadable;
  for (const { header, layout: rows } of state.stored.epochs) {
    const group = header.epoch === 1 ? "" : `epoch_${header.epoch}/`;
    for (const [slot, { key, identity, validMs }] of rows.rows()) {
      layout.push(`epoch ${header.epoch}, slot ${slot}: ${key} ${identity}, valid ${new Date(validMs).toISOString()}`);
      placed.push(`${key} ${identity}`);
    }
    layout.push(`epoch ${header.epoch}: ${header.slots} slots`);
    for (const name of ["time", "sst"]) {
      const array = await zarr.open(zarr.root(reader).resolve(`${group}${name}`), { kind: "array" });
      // zarrita has no answer for an array without elements.
      const data = array.shape.includes(0) ? [] : (await zarr.get(array)).data;
      values[`${group}${name}`] = Array.from(data as Iterable<number | bigint>, Number);
    }
  }
  same(placed.toSorted(), standing.toSorted(), "granules that stand in the store and that the ledger has as published");

  const copies = await readdir(join(home, "mirror", dataset.name));
  return { revisions, counts: await ledger.counts(dataset.name), publications, layout, values, copies: copies.toSorted() };
}

function same(found: readonly unknown[], expected: readonly unknown[], what: string): void {
  if (JSON.stringify(found) === JSON.stringify(expected)) return;
  throw new Error(`${what} do not agree: ${JSON.stringify(found)} and ${JSON.stringify(expected)}`);
}
