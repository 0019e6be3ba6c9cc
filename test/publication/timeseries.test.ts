import assert from "node:assert/strict";
import { copyFile, mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { afterEach, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { isFreshetError } from "../../src/errors/index.ts";
import { lookAtProduct } from "../../src/publication/index.ts";
import { granuleBytes, type MadeGranule } from "../products/made-granule.ts";
import { MOGREPS, OSTIA } from "../support/granules.ts";
import { compareInPython, missingPython } from "../support/python.ts";
import { nameOf, noon, Workshop, type WorkshopOptions } from "./workshop.ts";

/** `_FillValue` of the made granules. */
const GAP = -32768;

let workshop: Workshop;
afterEach(() => workshop?.stop());

async function start(options: WorkshopOptions = {}): Promise<Workshop> {
  workshop = await Workshop.start(options);
  return workshop;
}

/** A day's granule, with the same value in every cell. */
const day = (number: number, value: number, more: MadeGranule = {}): Uint8Array =>
  granuleBytes({ seconds: [noon(number) / 1000], value: () => value, ...more });

async function deliver(number: number, value: number, more: MadeGranule = {}) {
  return workshop.deliver(nameOf(number), day(number, value, more));
}

const times = async (): Promise<number[]> => (await workshop.read("time")).map((seconds) => seconds * 1000);

describe("a time series from its granules", () => {
  test("first, next, a gap, a late one: each version has every day at its place", async () => {
    await start();
    await deliver(5, 50);
    const [first] = await workshop.settle();
    assert.deepEqual(await workshop.steps(), [50]);
    await deliver(6, 60);
    await deliver(9, 90);
    const [second] = await workshop.settle();
    assert.deepEqual(await workshop.steps(), [50, 60, GAP, GAP, 90]);
    assert.deepEqual(await times(), [5, 6, 7, 8, 9].map(noon));
    await deliver(8, 80);
    await deliver(3, 30);
    const [third] = await workshop.settle();
    assert.deepEqual(await workshop.steps(), [30, GAP, 50, 60, GAP, 80, 90]);
    assert.deepEqual(await times(), [3, 4, 5, 6, 7, 8, 9].map(noon));
    assert.deepEqual(
      [first, second, third].map((result) => [result?.sequence, result?.granules, result?.changed]),
      [
        [1, 1, 1],
        [2, 3, 2],
        [3, 5, 2],
      ],
    );
    assert.deepEqual(await workshop.steps(first?.version), [50]);
    assert.deepEqual(await workshop.steps(second?.version), [50, 60, GAP, GAP, 90]);
    assert.deepEqual(await workshop.read("lat"), [10, 20]);
    assert.ok(Object.values(await workshop.states()).every((state) => state === "published"));
  });

  test("nothing to do is nothing planned, also for a publisher that remembers nothing", async () => {
    await start();
    assert.deepEqual(await workshop.publisher.plan(workshop.dataset), []);
    await deliver(5, 50);
    await workshop.settle();
    assert.deepEqual(await workshop.publisher.plan(workshop.dataset), []);
    assert.deepEqual(await workshop.newPublisher().plan(workshop.dataset), []);
    assert.equal((await workshop.take(pathToFileURL(join(workshop.folder, "in", nameOf(5))).href)).known, "published");
  });

  test("a replaced granule replaces its cells, and the old revision is superseded", async () => {
    await start();
    await deliver(5, 50);
    await deliver(6, 60);
    await workshop.settle();
    await deliver(5, 55);
    const [result] = await workshop.settle();
    assert.deepEqual(await workshop.steps(), [55, 60]);
    assert.equal(result?.changed, 1);
    assert.deepEqual(await workshop.states(), { "20170605T120000Z": "superseded published", "20170606T120000Z": "published" });
  });

  test("two revisions of a granule in one batch: the later is published, the earlier superseded", async () => {
    await start();
    await deliver(5, 50);
    await deliver(5, 55);
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [55]);
    assert.deepEqual(await workshop.states(), { "20170605T120000Z": "superseded published" });
  });

  test("a withdrawn granule leaves a gap; it comes again and is there again", async () => {
    await start();
    const id = await deliver(5, 50);
    await deliver(6, 60);
    await workshop.settle();
    await workshop.ledger.record({ ...id, state: "withdrawn" });
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [GAP, 60]);
    assert.deepEqual(await times(), [5, 6].map(noon));
    await workshop.take(pathToFileURL(join(workshop.folder, "in", nameOf(5))).href);
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [50, 60]);
    assert.equal((await workshop.states())["20170605T120000Z"], "published");
  });

  test("withdrawn and back again before anybody published that: it comes to rest as published", async () => {
    await start();
    const id = await deliver(5, 50);
    await workshop.settle();
    await workshop.ledger.record({ ...id, state: "withdrawn" });
    await workshop.take(pathToFileURL(join(workshop.folder, "in", nameOf(5))).href);
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [50]);
    assert.deepEqual(await workshop.states(), { "20170605T120000Z": "published" });
  });

  test("withdrawing a revision that has a successor takes nothing away; one that was never scanned stops nobody", async () => {
    await start();
    const old = await deliver(5, 50);
    await deliver(5, 55);
    await workshop.settle();
    await workshop.ledger.record({ ...old, state: "withdrawn" });
    const never = { dataset: "sst", key: "20170609T120000Z", identity: "size:1" };
    await workshop.ledger.hear(never);
    await workshop.ledger.record({ ...never, state: "withdrawn" });
    await deliver(6, 60);
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [55, 60]);
  });

  test("of two granules of one time the later stays, and they do not change places when they are listed again", async () => {
    await start({ match: "{valid:%Y%m%d%H%M%S}{version}.nc" });
    await workshop.deliver(nameOf(5, "v1"), day(5, 1));
    await workshop.settle();
    await workshop.deliver(nameOf(5, "v2"), day(5, 2));
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [2]);
    assert.deepEqual(Object.values(await workshop.states()), ["superseded", "published"]);
    const again = await workshop.take(pathToFileURL(join(workshop.folder, "in", nameOf(5, "v1"))).href);
    assert.equal(again.known, "superseded");
    assert.deepEqual(await workshop.settle(), []);
  });

  test("a superseded revision that the source has again is taken up again, also beside its waiting successor", async () => {
    await start();
    const bytes = day(5, 50);
    const id = await workshop.deliver(nameOf(5), bytes);
    await workshop.settle();
    await deliver(5, 55);
    await workshop.settle();
    // The same bytes with the same time of change: the revision that the ledger knows.
    const path = join(workshop.folder, "in", nameOf(5));
    await workshop.put(nameOf(5), bytes);
    const { utimes } = await import("node:fs/promises");
    await utimes(path, 1_700_000_000, 1_700_000_000);
    const back = await workshop.take(pathToFileURL(path).href);
    assert.deepEqual([back.identity, back.known], [id.identity, undefined]);
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [50]);
    assert.deepEqual(await workshop.states(), { "20170605T120000Z": "published superseded" });
  });

  test("`omit`: days that did not come have no place, late ones get between, withdrawn ones close up", async () => {
    await start({ missing: "omit" });
    await deliver(5, 50);
    const nine = await deliver(9, 90);
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [50, 90]);
    await deliver(7, 70);
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [50, 70, 90]);
    assert.deepEqual(await times(), [5, 7, 9].map(noon));
    await workshop.ledger.record({ ...nine, state: "withdrawn" });
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [50, 70]);
    for (const number of [5, 7]) {
      const revision = (await workshop.ledger.revisionsOf("sst", `2017060${number}T120000Z`))[0];
      assert.ok(revision);
      await workshop.ledger.record({ dataset: "sst", key: revision.key, identity: revision.identity, state: "withdrawn" });
    }
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), []);
    await deliver(6, 60);
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [60]);
    assert.deepEqual(await times(), [noon(6)]);
  });

  test("`from`: the axis begins with gaps", async () => {
    await start({ calendar: '{ every: 1d, at: "12:00Z", from: 2017-06-03 }' });
    await deliver(5, 50);
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [GAP, GAP, 50]);
    assert.deepEqual(await times(), [3, 4, 5].map(noon));
  });

  test("granules of several steps: two in the first publication, a gap, one late", async () => {
    await start({ calendar: "{ every: 6h }", match: "{valid:%Y%m%d}.nc" });
    const four = (number: number, value: number): Uint8Array =>
      granuleBytes({
        seconds: [0, 6, 12, 18].map((hour) => Date.UTC(2017, 5, number, hour) / 1000),
        value: (step) => value + step,
      });
    const name = (number: number): string => `2017060${number}.nc`;
    await workshop.deliver(name(5), four(5, 50));
    await workshop.deliver(name(7), four(7, 70));
    await workshop.settle();
    const seven = [GAP, GAP, GAP, GAP];
    assert.deepEqual(await workshop.steps(), [50, 51, 52, 53, ...seven, 70, 71, 72, 73]);
    assert.deepEqual(
      await times(),
      Array.from({ length: 12 }, (_, index) => Date.UTC(2017, 5, 5, index * 6)),
    );
    await workshop.deliver(name(6), four(6, 60));
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [50, 51, 52, 53, 60, 61, 62, 63, 70, 71, 72, 73]);
  });

  test("a scalar time: the data get the axis, other scalars of time go along, a gap in them is marked", async () => {
    await start();
    const more = (value: number): MadeGranule => ({
      isScalar: true,
      more: [{ name: "lead", type: "int32", attributes: [["standard_name", "char", "forecast_period"]], values: [value] }],
    });
    await deliver(5, 50, more(3));
    await deliver(7, 70, more(4));
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [50, GAP, 70]);
    const [first, gap, last] = await workshop.read("lead");
    assert.deepEqual([first, last], [3, 4]);
    const product = workshop.dataset.products[0];
    const state = product && (await lookAtProduct(workshop.dataset, product));
    const metadata = await state?.store.get(state.head, "lead/zarr.json");
    assert.equal(JSON.parse(Buffer.from(metadata as Uint8Array).toString()).attributes._FillValue, gap);
  });

  test("attributes that differ between granules leave the product, the others stay", async () => {
    await start();
    await deliver(5, 50, { title: "one", sst: { comment: ["comment", "char", "one"] } });
    await deliver(6, 60, { title: "two", sst: { comment: ["comment", "char", "two"] } });
    await workshop.settle();
    const product = workshop.dataset.products[0];
    const state = product && (await lookAtProduct(workshop.dataset, product));
    const attributesOf = async (key: string) =>
      JSON.parse(Buffer.from((await state?.store.get(state.head, key)) as Uint8Array).toString()).attributes;
    assert.equal((await attributesOf("zarr.json")).title, undefined);
    const { comment, units, scale_factor } = await attributesOf("sst/zarr.json");
    assert.deepEqual([comment, units, scale_factor], [undefined, "K", Math.fround(0.01)]);
  });

  test("the calendar's steps are changed: gaps stand for other instants, and say so", async () => {
    await start();
    await deliver(5, 50);
    await deliver(8, 80);
    await workshop.settle();
    workshop.use({ calendar: '{ every: 12h, at: "00:00Z" }' });
    await deliver(9, 90);
    await workshop.settle();
    assert.deepEqual(
      await times(),
      Array.from({ length: 9 }, (_, index) => noon(5) + index * 43_200_000),
    );
    assert.deepEqual(await workshop.steps(), [50, GAP, GAP, GAP, GAP, GAP, 80, GAP, 90]);
  });

  test("a source that moves to another place is taken up, and what was published stays readable", async () => {
    await start();
    await deliver(5, 50);
    await workshop.settle();
    workshop.use({ at: "moved/" });
    await workshop.take(await workshop.put(nameOf(6), day(6, 60), "moved"));
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [50, 60]);
  });

  test("any order of deliveries, replacements and withdrawals, cut anyhow: every cell is the last one that stands", async () => {
    const operations = fc.array(
      fc.record({
        day: fc.integer({ min: 3, max: 8 }),
        kind: fc.constantFrom("deliver", "deliver", "deliver", "withdraw", "settle"),
      }),
      { minLength: 8, maxLength: 16 },
    );
    await fc.assert(
      fc.asyncProperty(operations, async (all) => {
        await start();
        try {
          const standing = new Map<number, number>();
          const ids = new Map<number, Awaited<ReturnType<typeof deliver>>>();
          let first = Number.POSITIVE_INFINITY;
          let last = Number.NEGATIVE_INFINITY;
          let value = 0;
          for (const { day: number, kind } of all) {
            const id = ids.get(number);
            if (kind === "deliver") {
              ids.set(number, await deliver(number, ++value));
              standing.set(number, value);
            } else if (kind === "withdraw" && id !== undefined) {
              await workshop.ledger.record({ ...id, state: "withdrawn" });
              standing.delete(number);
              ids.delete(number);
            } else if (kind === "settle") {
              await workshop.settle(workshop.newPublisher());
              first = Math.min(first, ...standing.keys());
              last = Math.max(last, ...standing.keys());
            }
          }
          await workshop.settle();
          first = Math.min(first, ...standing.keys());
          last = Math.max(last, ...standing.keys());
          if (first > last) return;
          const expected = Array.from({ length: last - first + 1 }, (_, index) => standing.get(first + index) ?? GAP);
          assert.deepEqual(await workshop.steps(), expected);
        } finally {
          await workshop.stop();
        }
      }),
      { seed: 20_170_605, numRuns: 8 },
    );
    await start();
  });
});

describe("real granules", () => {
  for (const [name, granules, match, at] of [
    ["ostia", OSTIA, "{valid:%Y%m%d%H%M%S}-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc", "12:00Z"],
    ["mogreps-uk", MOGREPS, "{run:%Y%m%dT%H%MZ}-PT{lead:4h}H-temperature_at_screen_level.nc", "15:00Z"],
  ] as const) {
    test(`${name}: third, first, then the late second; xarray reads what netCDF4 reads in the files`, {
      skip: missingPython(),
    }, async () => {
      await start({ match, calendar: `{ every: 1d, at: "${at}" }` });
      const [one, two, three] = granules;
      assert.ok(one && two && three);
      await mkdir(join(workshop.folder, "in"), { recursive: true });
      const files = new Map<number, string>();
      for (const [slot, granule] of [
        [2, three],
        [0, one],
        [1, two],
      ] as const) {
        const path = join(workshop.folder, "in", basename(granule.path));
        await copyFile(granule.path, path);
        await workshop.take(pathToFileURL(path).href);
        const [result] = await workshop.settle();
        files.set(slot, granule.path);
        if (slot === 2) continue;
        const { wrong, compared } = await compareInPython(join(workshop.folder, "store"), result?.version ?? "", files);
        assert.deepEqual(wrong, []);
        assert.ok(compared > 0);
      }
    });
  }
});

describe("what does not fit", () => {
  test("never gets into the product: the gate says what was found and whose form is expected", async () => {
    await start();
    await deliver(5, 50);
    await workshop.settle();
    await assert.rejects(
      deliver(6, 60, { sst: { scale_factor: ["scale_factor", "float32", [0.5]] } }),
      (error) =>
        isFreshetError(error, "drift") &&
        /\/sst scale_factor: found 0\.5 \(float32\), expected 0\.00999.*The dataset's form is that of 20170605T120000Z/.test(
          error.message,
        ),
    );
    assert.deepEqual(await workshop.settle(), []);
  });
});
