import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type CollectionProduct, parseDatasetFile } from "../../src/dataset/index.ts";
import { type Arrival, Layout, type LayoutRow, placeInOrder } from "../../src/products/index.ts";

const SEED = 20_180_401;
const HOUR_MS = 3_600_000;

function productOf(collection: string): CollectionProduct {
  const text = `
sources: { s: { at: /data } }
---
name: d
from: { source: s }
match: "{start:%Y%m%d}_{orbit:int}_{stream}.nc"
products: [ { collection: { ${collection}, store: /store } } ]`;
  const [dataset] = parseDatasetFile(text, { file: "/x.yaml" }).datasets;
  return dataset?.products[0] as CollectionProduct;
}

/** What stands there after some arrivals, said as simply as can be. */
interface Expected {
  readonly rows: readonly string[];
  readonly rejected: readonly string[];
  readonly displaced: readonly string[];
}

const nameOf = ({ key, identity }: Pick<LayoutRow, "key" | "identity">): string => `${key}/${identity}`;
const lastOf = ({ lastMs, validMs }: LayoutRow): number => lastMs ?? validMs;

function expectedOf(arrivals: readonly Arrival[], product: CollectionProduct): Expected {
  let rows: LayoutRow[] = [];
  const rejected: string[] = [];
  const displaced: string[] = [];
  const numbers = (row: LayoutRow): number[] => {
    if (product.along === "coordinate") return [row.validMs];
    return (product.along === "none" ? [product.newest] : product.order).map((field) => Number(row.fields?.[field]));
  };
  const compare = (a: LayoutRow, b: LayoutRow): number => {
    const differing = numbers(a).findIndex((value, at) => value !== numbers(b)[at]);
    if (differing >= 0) return (numbers(a)[differing] as number) - (numbers(b)[differing] as number);
    return a.key < b.key ? -1 : 1;
  };
  for (const arrival of arrivals) {
    const others = rows.filter(({ key }) => key !== arrival.key);
    if (arrival.state === "withdrawn") {
      rows = rows.filter(({ key, identity }) => key !== arrival.key || ![undefined, identity].includes(arrival.identity));
      continue;
    }
    const isWith = (row: LayoutRow): boolean => {
      if (product.along === "coordinate") return row.validMs === arrival.validMs;
      return product.along === "none";
    };
    const isAmong = (row: LayoutRow): boolean => row.validMs <= lastOf(arrival) && arrival.validMs <= lastOf(row);
    if (product.along === "coordinate" && others.some((row) => !isWith(row) && isAmong(row))) {
      rejected.push(nameOf(arrival));
      continue;
    }
    if (product.along === "none" && others.some((row) => (numbers(row)[0] as number) > (numbers(arrival)[0] as number))) {
      displaced.push(nameOf(arrival));
      rows = others;
      continue;
    }
    displaced.push(...others.filter(isWith).map(nameOf));
    rows = [...others.filter((row) => !isWith(row)), arrival].sort(compare);
  }
  return { rows: rows.map(nameOf), rejected, displaced };
}

const arrivals = fc.array(
  fc.record({
    key: fc.nat({ max: 7 }),
    identity: fc.nat({ max: 2 }).map(String),
    first: fc.nat({ max: 12 }),
    steps: fc.integer({ min: 1, max: 3 }),
    isWithdrawn: fc.nat({ max: 4 }).map((value) => value === 0),
    isWhichever: fc.boolean(),
  }),
  { maxLength: 30 },
);

/** Fields of a name are in the key: a granule's do not change, but its own times may. */
const arrivalOf = (made: typeof arrivals extends fc.Arbitrary<(infer One)[]> ? One : never): Arrival => {
  const { key: number, identity, first, steps, isWithdrawn, isWhichever } = made;
  const key = `g${number}`;
  if (isWithdrawn) return { state: "withdrawn", key, identity: isWhichever ? undefined : identity };
  const scan = { uri: `scans/${key}/${identity}`, sha256: `${key}/${identity}/${first}` };
  const fields = { start: (number % 3) * HOUR_MS, orbit: (number * 5) % 4 };
  return { state: "ready", key, identity, validMs: first * HOUR_MS, lastMs: (first + steps - 1) * HOUR_MS, fields, scan };
};

const PRODUCTS = {
  "along time": "along: time",
  "along granules": "along: granule, order: [orbit, start]",
  "one granule": 'along: none, newest: "{orbit}"',
};

describe("the order of a collection", () => {
  for (const [what, collection] of Object.entries(PRODUCTS)) {
    test(`${what}: any arrivals, cut into any batches, give what a list would that is sorted anew each time`, () => {
      const product = productOf(collection);
      const seen = { rejected: 0, displaced: 0, longest: 0 };
      fc.assert(
        fc.property(arrivals, fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 8 }), (made, batches) => {
          const all = made.map(arrivalOf);
          const expected = expectedOf(all, product);
          let layout = Layout.EMPTY;
          const rejected: string[] = [];
          const displaced: string[] = [];
          for (let at = 0, turn = 0; at < all.length; turn++) {
            const to = at + (batches[turn] ?? all.length);
            const placement = placeInOrder(layout, all.slice(at, to), product);
            rejected.push(...placement.rejected.map(({ arrival }) => nameOf(arrival)));
            displaced.push(...placement.displaced.map(nameOf));
            layout = placement.layout;
            at = to;
          }
          assert.deepEqual({ rows: [...layout.rows()].map(([, row]) => nameOf(row)), rejected, displaced }, expected);
          assert.equal(layout.slots, layout.granules, "no gaps");
          assert.equal(layout.hash, placeInOrder(Layout.EMPTY, all, product).layout.hash);
          seen.rejected += rejected.length;
          seen.displaced += displaced.length;
          seen.longest = Math.max(seen.longest, layout.slots);
        }),
        { numRuns: 400, seed: SEED },
      );
      assert.equal(seen.rejected > 0, what === "along time");
      assert.equal(seen.displaced > 0, what !== "along granules");
      assert.equal(seen.longest > 3, what !== "one granule");
    });
  }
});
