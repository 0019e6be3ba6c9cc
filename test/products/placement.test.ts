import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseDatasetFile, type TimeseriesProduct } from "../../src/dataset/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import {
  type Arrival,
  calendarOf,
  differenceOf,
  Layout,
  type LayoutRow,
  type PlacementRules,
  placeArrivals,
} from "../../src/products/index.ts";
import { misfit } from "../../src/products/placement.ts";

const DAY_MS = 86_400_000;
const FIRST_MS = Date.UTC(2017, 5, 5, 12);
const SEED = 20_170_605;

function productOf(calendar: string): TimeseriesProduct {
  const text = `
sources: { s: { at: /data } }
---
name: d
from: { source: s }
match: "{valid:%Y%m%d}.nc"
products: [ { timeseries: { calendar: ${calendar}, store: /store } } ]`;
  const [dataset] = parseDatasetFile(text, { file: "/x.yaml" }).datasets;
  return (dataset as { products: readonly TimeseriesProduct[] }).products[0] as TimeseriesProduct;
}

function rulesFor(calendar: string, options: { missing?: "gap" | "omit"; steps?: number } = {}): PlacementRules {
  const product = productOf(calendar);
  const { fromMs, anchorMs } = product.calendar;
  const { missing = "gap", steps = 1 } = options;
  return { calendar: calendarOf(product), missing, fromMs, anchorMs: fromMs ?? anchorMs, steps };
}

const DAILY = '{ every: 1d, at: "12:00Z" }';

function ready(key: string, validMs: number, identity = "1"): Arrival {
  const sha256 = `${key}/${identity}`;
  return { state: "ready", key, identity, validMs, scan: { uri: `scans/${sha256}`, sha256 } };
}

function withdrawn(key: string, identity = "1"): Arrival {
  return { state: "withdrawn", key, identity };
}

function rowsOf(layout: Layout): (LayoutRow | null)[] {
  return Array.from({ length: layout.slots }, (_, slot) => layout.at(slot));
}

/** What stands where: `key/identity`, or `-` for a gap. */
function shown(layout: Layout): string {
  return rowsOf(layout)
    .map((row) => (row === null ? "-" : `${row.key}/${row.identity}`))
    .join(" ");
}

function place(stored: Layout, arrivals: readonly Arrival[], rules = rulesFor(DAILY)): Layout {
  return placeArrivals(stored, arrivals, rules).layout;
}

describe("placing granules on a calendar", () => {
  test("late ones take their place, gaps stay gaps, and the origin is the first one", () => {
    const layout = place(Layout.EMPTY, [ready("d", FIRST_MS + 3 * DAY_MS), ready("a", FIRST_MS)]);
    assert.equal(shown(layout), "a/1 - - d/1");
    assert.equal(layout.originMs, FIRST_MS);
    assert.equal(shown(place(layout, [ready("c", FIRST_MS + 2 * DAY_MS)])), "a/1 - c/1 d/1");
  });

  test("one before the first moves the origin and keeps the others' instants", () => {
    const layout = place(place(Layout.EMPTY, [ready("b", FIRST_MS + DAY_MS)]), [ready("a", FIRST_MS - DAY_MS)]);
    assert.equal(shown(layout), "a/1 - b/1");
    assert.equal(layout.originMs, FIRST_MS - DAY_MS);
  });

  test("`omit`: only those that came have a place, ascending; with the last one gone there is no axis", () => {
    const rules = rulesFor(DAILY, { missing: "omit" });
    const layout = place(Layout.EMPTY, [ready("d", FIRST_MS + 3 * DAY_MS), ready("a", FIRST_MS)], rules);
    assert.equal(shown(layout), "a/1 d/1");
    assert.equal(shown(place(layout, [withdrawn("a")], rules)), "d/1");
    assert.equal(place(layout, [withdrawn("a"), withdrawn("d")], rules).slots, 0);
  });

  test("`from`: the axis begins there, whatever came first; what is before it has no place", () => {
    const rules = rulesFor('{ every: 1d, at: "12:00Z", from: 2017-06-04 }');
    const placed = placeArrivals(Layout.EMPTY, [ready("b", FIRST_MS + DAY_MS), ready("old", FIRST_MS - 2 * DAY_MS)], rules);
    assert.equal(shown(placed.layout), "- - b/1");
    assert.equal(placed.layout.originMs, FIRST_MS - DAY_MS);
    assert.deepEqual(
      placed.rejected.map(({ arrival, reason }) => [arrival.key, reason]),
      [["old", "valid 2017-06-03T12:00:00Z, which is not on the declared calendar"]],
    );
  });

  test("months are counted, not days", () => {
    const layout = place(
      Layout.EMPTY,
      [ready("mar", Date.UTC(2017, 2, 1)), ready("jan", Date.UTC(2017, 0, 1)), ready("may", Date.UTC(2018, 4, 1))],
      rulesFor("{ every: 1mo }"),
    );
    assert.equal(shown(layout), `jan/1 - mar/1 ${"- ".repeat(13)}may/1`);
  });

  test("granules of several steps tile the axis; one that begins inside another has no place", () => {
    const rules = rulesFor("{ every: 1h }", { steps: 24 });
    const day = Date.UTC(2017, 5, 5);
    const placed = placeArrivals(
      Layout.EMPTY,
      [ready("c", day + 2 * DAY_MS), ready("a", day), ready("odd", day + 3_600_000)],
      rules,
    );
    assert.equal(shown(placed.layout), "a/1 - c/1");
    assert.match(placed.rejected[0]?.reason ?? "", /inside another granule's steps/);
  });

  test("an instant beside the calendar has no place, and what stands there of the granule stays", () => {
    const layout = place(Layout.EMPTY, [ready("a", FIRST_MS)]);
    const placed = placeArrivals(layout, [ready("a", FIRST_MS + 1, "2")], rulesFor(DAILY));
    assert.equal(shown(placed.layout), "a/1");
    assert.equal(placed.rejected.length, 1);
    assert.match(misfit({ validMs: FIRST_MS + 1 }, rulesFor(DAILY)) ?? "", /not on the declared calendar/);
  });

  test("of two granules of one time the later stays, and the other is named", () => {
    const layout = place(Layout.EMPTY, [ready("a", FIRST_MS)]);
    const placed = placeArrivals(layout, [ready("b", FIRST_MS)], rulesFor(DAILY));
    assert.equal(shown(placed.layout), "b/1");
    assert.deepEqual(
      placed.displaced.map(({ key }) => key),
      ["a"],
    );
  });

  test("withdrawing a revision that has been replaced leaves its successor alone", () => {
    const layout = place(Layout.EMPTY, [ready("a", FIRST_MS), ready("a", FIRST_MS, "2")]);
    assert.equal(shown(place(layout, [withdrawn("a", "1")])), "a/2");
    assert.equal(shown(place(layout, [withdrawn("a", "2")])), "-");
  });

  test("a granule that is centuries away is refused instead of filling memory with gaps", () => {
    const rules = rulesFor("{ every: 1m }");
    const layout = place(Layout.EMPTY, [ready("a", FIRST_MS)], rules);
    const placed = placeArrivals(layout, [ready("old", Date.UTC(1900, 0, 1)), ready("b", FIRST_MS + 120_000)], rules);
    assert.equal(shown(placed.layout), "a/1 - b/1");
    assert.match(placed.rejected[0]?.reason ?? "", /stretch the axis to \d+ places, more than 1000000/);
  });

  test("a calendar that has no place for what is published is an error of the dataset file", () => {
    const layout = place(Layout.EMPTY, [ready("a", FIRST_MS)]);
    for (const calendar of ['{ every: 1d, at: "00:00Z" }', '{ every: 1d, at: "12:00Z", from: 2017-06-06 }']) {
      assert.throws(
        () =>
          placeArrivals(layout, [ready("b", Date.UTC(2017, 5, 9, calendar.includes("from") ? 12 : 0))], rulesFor(calendar), true),
        (error) => isFreshetError(error, "dataset-file") && /2017-06-05T12:00:00Z/.test(error.message),
      );
    }
  });
});

/** Few granules, instants and identities, so that they meet. */
const arrivals = fc.array(
  fc
    .record({
      key: fc.constantFrom("a", "b", "c", "d"),
      identity: fc.constantFrom("1", "2"),
      day: fc.integer({ min: -3, max: 6 }),
      isWithdrawn: fc.boolean(),
      minute: fc.constantFrom(0, 0, 0, 0, 1),
    })
    .map(({ key, identity, day, isWithdrawn, minute }) =>
      isWithdrawn ? withdrawn(key, identity) : ready(key, FIRST_MS + day * DAY_MS + minute * 60_000, identity),
    ),
  { maxLength: 12 },
);
const cuts = fc.array(fc.nat({ max: 12 }), { maxLength: 4 });

/** The obvious way: one list of what stands, no calendar arithmetic but a day's milliseconds. */
function model(all: readonly Arrival[]): Map<number, string> {
  let standing: LayoutRow[] = [];
  for (const arrival of all) {
    if (arrival.state === "withdrawn") {
      standing = standing.filter(({ key, identity }) => key !== arrival.key || identity !== arrival.identity);
    } else if ((arrival.validMs - FIRST_MS) % DAY_MS === 0) {
      standing = standing.filter(({ key, validMs }) => key !== arrival.key && validMs !== arrival.validMs);
      standing.push(arrival);
    }
  }
  return new Map(standing.map(({ validMs, key, identity }) => [validMs, `${key}/${identity}`]));
}

function batches(all: readonly Arrival[], at: readonly number[]): Arrival[][] {
  const bounds = [0, ...at.map((cut) => Math.min(cut, all.length)).sort((a, b) => a - b), all.length];
  return bounds.slice(1).map((end, index) => all.slice(bounds[index], end));
}

describe("placing granules, by any arrivals", () => {
  for (const missing of ["gap", "omit"] as const) {
    const rules = rulesFor(DAILY, { missing });

    test(`${missing}: each instant holds what the obvious model says, in whatever batches they came`, () => {
      fc.assert(
        fc.property(arrivals, cuts, (all, at) => {
          let layout = Layout.EMPTY;
          for (const batch of batches(all, at)) {
            layout = place(layout, batch, rules);
            layout.settle();
          }
          const expected = model(all);
          const found = new Map(
            rowsOf(layout).flatMap((row) => (row === null ? [] : [[row.validMs, `${row.key}/${row.identity}`]])),
          );
          assert.deepEqual([...found].sort(), [...expected].sort());
          if (missing === "omit") {
            const instants = rowsOf(layout).map((row) => row?.validMs ?? Number.NaN);
            assert.deepEqual(
              instants,
              [...expected.keys()].sort((a, b) => a - b),
            );
          } else {
            for (const [slot, row] of rowsOf(layout).entries())
              if (row !== null) assert.equal(row.validMs, (layout.originMs as number) + slot * DAY_MS);
          }
        }),
        { seed: SEED, numRuns: 500 },
      );
    });

    test(`${missing}: the difference, applied to what was stored, is what is wanted`, () => {
      fc.assert(
        fc.property(arrivals, arrivals, (first, then) => {
          const stored = place(Layout.EMPTY, first, rules);
          const wanted = place(stored, then, rules);
          const { changes, from, to, added, replaced, removed } = differenceOf(stored, wanted);
          assert.equal(from, stored.slots);
          assert.equal(to, wanted.slots);
          const rows: (LayoutRow | null)[] = rowsOf(stored).slice(0, to);
          for (const { slot, row } of changes) rows[slot] = row;
          assert.deepEqual(rows, rowsOf(wanted));
          const before = new Map(rowsOf(stored).flatMap((row) => (row === null ? [] : [[row.key, row.identity]])));
          const after = new Map(rowsOf(wanted).flatMap((row) => (row === null ? [] : [[row.key, row.identity]])));
          assert.equal(added, [...after.keys()].filter((key) => !before.has(key)).length);
          assert.equal(removed, [...before.keys()].filter((key) => !after.has(key)).length);
          assert.equal(replaced, [...after].filter(([key, identity]) => before.has(key) && before.get(key) !== identity).length);
        }),
        { seed: SEED, numRuns: 500 },
      );
    });

    test(`${missing}: the same arrivals a second time change nothing`, () => {
      fc.assert(
        fc.property(
          arrivals.map((all) => all.filter(({ state }) => state === "ready")),
          (all) => {
            const once = place(Layout.EMPTY, all, rules);
            const latest = all.filter((arrival, index) => all.findLastIndex(({ key }) => key === arrival.key) === index);
            const standing = latest.filter(({ key, identity }) =>
              rowsOf(once).some((row) => row?.key === key && row.identity === identity),
            );
            assert.equal(place(once, standing, rules).hash, once.hash);
          },
        ),
        { seed: SEED, numRuns: 300 },
      );
    });
  }
});
