import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import * as zarr from "zarrita";
import type { Product } from "../../src/dataset/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { checkProduct } from "../../src/publication/check-product.ts";
import { lookAtProduct } from "../../src/publication/index.ts";
import { type Attribute, netcdf3Bytes } from "../formats/netcdf3/netcdf3-bytes.ts";
import { granuleBytes, type MadeGranule } from "../products/made-granule.ts";
import { nameOf, noon, Workshop, type WorkshopOptions } from "./workshop.ts";

const HOUR = 3600;

let workshop: Workshop;
afterEach(() => workshop?.stop());

async function start(options: WorkshopOptions): Promise<void> {
  workshop = await Workshop.start({ match: "{valid:%Y%m%d}.nc", ...options });
}

const times = async (): Promise<number[]> => (await workshop.read("time")).map((seconds) => seconds * 1000);

/** A granule of June 2017 with steps so many hours after the day's midnight. */
const granule = (day: number, hours: readonly number[], value: number, more: MadeGranule = {}): Uint8Array =>
  granuleBytes({ seconds: hours.map((hour) => noon(day) / 1000 + (hour - 12) * HOUR), value: (step) => value + step, ...more });

const fileOf = (day: number, suffix = ""): string => nameOf(day, suffix).replace("120000", "");

describe("a collection along its time", () => {
  const ALONG_TIME = { products: '[ { collection: { along: time, store: "store", split: 50 } } ]' };
  const deliver = (day: number, hours: readonly number[], value: number, more: MadeGranule = {}) =>
    workshop.deliver(fileOf(day), granule(day, hours, value, more));

  test("any steps, ascending, present ones only; a late granule gets between the others; one that is withdrawn closes up", async () => {
    await start(ALONG_TIME);
    await deliver(9, [0, 5, 6.5], 90);
    await deliver(2, [1, 2, 3], 20);
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [20, 21, 22, 90, 91, 92]);
    const five = await deliver(5, [3, 4, 23], 50);
    const [result] = await workshop.settle();
    assert.deepEqual(await workshop.steps(), [20, 21, 22, 50, 51, 52, 90, 91, 92]);
    assert.deepEqual(
      await times(),
      [1, 2, 3]
        .map((hour) => noon(2) + (hour - 12) * HOUR * 1000)
        .concat(
          [3, 4, 23].map((hour) => noon(5) + (hour - 12) * HOUR * 1000),
          [0, 5, 6.5].map((hour) => noon(9) + (hour - 12) * HOUR * 1000),
        ),
    );
    assert.equal(result?.granules, 3);
    await workshop.ledger.record({ ...five, state: "withdrawn" });
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [20, 21, 22, 90, 91, 92]);
    assert.deepEqual(await workshop.newPublisher().plan(workshop.dataset), []);
  });

  test("a granule whose steps lie among another's goes into quarantine and says which", async () => {
    await start(ALONG_TIME);
    await deliver(5, [0, 6, 12], 50);
    await deliver(6, [0, 6, 12], 60);
    await workshop.settle();
    const late = await workshop.deliver(fileOf(4), granule(4, [12, 18, 36], 40));
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [50, 51, 52, 60, 61, 62]);
    const revision = await workshop.ledger.revision(late);
    assert.equal(revision?.state, "quarantined");
    assert.match(
      revision?.reason ?? "",
      /2017-06-04T12:00:00Z to 2017-06-05T12:00:00Z, which overlaps 20170605T000000Z: .*T00:00:00Z to .*T12/,
    );
    // A published granule whose new revision overlaps stays as it was.
    const replaced = await workshop.deliver(fileOf(5), granule(5, [0, 6, 24], 55));
    await workshop.settle();
    assert.equal((await workshop.ledger.revision(replaced))?.state, "quarantined");
    assert.equal((await times())[2], noon(5));
  });
});

/** A swath of 3 by 2 cells; its orbit is a global attribute. */
function swath(
  value: number,
  more: { orbit?: number; pixels?: readonly number[]; length?: number; without?: string } = {},
): Uint8Array {
  const { orbit = 7000 + value, pixels = [0, 1], length = 3 } = more;
  const cells = (from: number): number[] => Array.from({ length: length * 2 }, (_, cell) => from + cell);
  const along = Array.from({ length }, (_, line) => value * 10 + line);
  const attributes: Attribute[] = [
    ["title", "char", "made for tests"],
    ["orbit_number", "int32", [orbit]],
    ["equator", "char", `E${value}`],
  ];
  return netcdf3Bytes({
    records: 0,
    dimensions: [
      ["along", length],
      ["cross", 2],
    ],
    attributes: attributes.filter(([name]) => name !== more.without),
    variables: [
      {
        name: "wind",
        type: "float32",
        dimensions: [0, 1],
        attributes: [["coordinates", "char", "lat lon"]],
        values: cells(value),
      },
      { name: "lat", type: "float32", dimensions: [0, 1], attributes: [], values: cells(value + 100) },
      { name: "lon", type: "float32", dimensions: [0, 1], attributes: [], values: cells(value + 200) },
      {
        name: "time",
        type: "float64",
        dimensions: [0],
        attributes: [["units", "char", "seconds since 1990-01-01"]],
        values: along,
      },
      { name: "cross", type: "int32", dimensions: [1], attributes: [], values: pixels },
    ],
  }).bytes;
}

describe("a collection along its granules", () => {
  const collection =
    'along: granule, order: [start, rev], store: "store", coordinates: { granule: "{rev}", start: "{start}", file: name, orbit: "@orbit_number", equator: "@equator" }';
  const SWATHS = { match: "s{start:%Y%m%d}_{rev:int}.nc", products: `[ { collection: { ${collection} } } ]` };
  const texts = async (variable: string): Promise<string[]> => {
    const state = await lookAtProduct(workshop.dataset, workshop.dataset.products[0] as Product);
    const store = (await state?.store.reader(state.head)) as unknown as zarr.AsyncReadable;
    const { data } = await zarr.get(await zarr.open(zarr.root(store).resolve(variable), { kind: "array" }));
    return [...(data as Iterable<string>)];
  };

  test("in the order of their fields, whatever order they come in; each has its coordinates, and keeps its latitudes", async () => {
    await start(SWATHS);
    await workshop.deliver("s20170602_12.nc", swath(2));
    await workshop.settle();
    await workshop.deliver("s20170601_9.nc", swath(1));
    await workshop.deliver("s20170602_3.nc", swath(0));
    await workshop.settle();
    await workshop.deliver("s20170603_1.nc", swath(4));
    const [result] = await workshop.settle();
    assert.equal(result?.granules, 4);
    assert.deepEqual(await workshop.read("granule"), [9, 3, 12, 1]);
    assert.deepEqual(await workshop.read("orbit"), [7001, 7000, 7002, 7004]);
    assert.deepEqual(
      await workshop.read("start"),
      [1, 2, 2, 3].map((day) => noon(day) / 1000 - 12 * HOUR),
    );
    assert.deepEqual(await texts("file"), ["s20170601_9.nc", "s20170602_3.nc", "s20170602_12.nc", "s20170603_1.nc"]);
    assert.deepEqual(await texts("equator"), ["E1", "E0", "E2", "E4"]);
    const first = (cells: readonly number[]): number[] => cells.filter((_, index) => index % 6 === 0);
    assert.deepEqual(first(await workshop.read("wind")), [1, 0, 2, 4]);
    assert.deepEqual(first(await workshop.read("lat")), [101, 100, 102, 104]);
    assert.deepEqual(
      (await workshop.read("time")).filter((_, index) => index % 3 === 0),
      [10, 0, 20, 40],
    );
    assert.deepEqual(await workshop.read("cross"), [0, 1]);
    assert.deepEqual(await workshop.newPublisher().plan(workshop.dataset), []);
    const [product] = workshop.dataset.products as [Product];
    const check = await checkProduct(workshop.dataset, product, workshop, { chunks: 8, sources: 8 });
    assert.deepEqual(check.disagreements, []);
    assert.ok(
      check.compared.every(({ count }) => count > 0),
      JSON.stringify(check.compared),
    );
  });

  test("another size, other static values, a missing attribute are drift; withdrawn ones close up", async () => {
    await start(SWATHS);
    const one = await workshop.deliver("s20170601_1.nc", swath(1));
    await workshop.deliver("s20170602_2.nc", swath(2));
    await workshop.settle();
    const drift = (pattern: RegExp) => (error: unknown) => isFreshetError(error, "drift") && pattern.test(error.message);
    await assert.rejects(
      workshop.deliver("s20170603_3.nc", swath(3, { length: 4 })),
      drift(/wind shape: found \[4,2\], expected \[3,2\]/),
    );
    await assert.rejects(workshop.deliver("s20170603_4.nc", swath(3, { pixels: [1, 2] })), drift(/cross values/));
    await assert.rejects(
      workshop.deliver("s20170603_5.nc", swath(3, { without: "orbit_number" })),
      drift(/@orbit_number: found no such/),
    );
    await workshop.ledger.record({ ...one, state: "withdrawn" });
    await workshop.settle();
    assert.deepEqual(await workshop.read("granule"), [2]);
    assert.deepEqual(await texts("file"), ["s20170602_2.nc"]);
  });
});

describe("a collection of one granule", () => {
  const RECORD = {
    match: "r_{end:%Y%m}_{issue:int}.nc",
    products: '[ { collection: { along: none, newest: "{end}", store: "store" } } ]',
  };
  const record = (steps: number, value: number, more: MadeGranule = {}): Uint8Array =>
    granuleBytes({ seconds: Array.from({ length: steps }, (_, step) => step * 86_400), value: () => value, ...more });

  test("the newest replaces all arrays, longer ones too; late older ones are superseded; earlier versions stay readable", async () => {
    await start(RECORD);
    const first = await workshop.deliver("r_201701_1.nc", record(5, 1, { title: "to January" }));
    const [one] = await workshop.settle();
    assert.deepEqual(await workshop.steps(), [1, 1, 1, 1, 1]);
    await workshop.deliver("r_201703_1.nc", record(7, 3, { title: "to March", latitudes: [10, 20] }));
    const [two] = await workshop.settle();
    assert.deepEqual(await workshop.steps(), [3, 3, 3, 3, 3, 3, 3]);
    assert.deepEqual([two?.granules, two?.sequence], [1, 2]);
    assert.deepEqual(await workshop.steps(one?.version), [1, 1, 1, 1, 1]);
    const late = await workshop.deliver("r_201702_1.nc", record(6, 2));
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [3, 3, 3, 3, 3, 3, 3]);
    const told = await workshop.ledger.revision(late);
    assert.deepEqual([told?.state, told?.reason], ["superseded", "20170301T000000Z,1 is newer, and is all of the product"]);
    assert.equal((await workshop.ledger.revision(first))?.state, "superseded");
    // Of equals the later one.
    await workshop.deliver("r_201703_2.nc", record(7, 4));
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [4, 4, 4, 4, 4, 4, 4]);
    const [product] = workshop.dataset.products as [Product];
    const check = await checkProduct(workshop.dataset, product, workshop, { chunks: 8, sources: 8 });
    assert.deepEqual(check.disagreements, []);
  });

  test("other variables, units or types are drift; an accepted one replaces the record, and a withdrawn one leaves it empty", async () => {
    await start(RECORD);
    await workshop.deliver("r_201701_1.nc", record(5, 1));
    await workshop.settle();
    const isDrift = (error: unknown): boolean => isFreshetError(error, "drift");
    await assert.rejects(workshop.deliver("r_201702_1.nc", record(6, 2, { without: ["depth"] })), isDrift);
    await assert.rejects(
      workshop.deliver("r_201702_2.nc", record(6, 2, { timeUnits: "seconds since 1980-01-01 00:00:00" })),
      isDrift,
    );
    await assert.rejects(workshop.deliver("r_201702_3.nc", record(6, 2, { type: "int32" })), isDrift);
    const accepted = await workshop.deliver("r_201702_4.nc", record(6, 2, { without: ["depth"] }), true);
    const [version] = await workshop.settle();
    assert.deepEqual(await workshop.steps(), [2, 2, 2, 2, 2, 2]);
    await assert.rejects(workshop.read("depth"));
    const [product] = workshop.dataset.products as [Product];
    assert.deepEqual((await checkProduct(workshop.dataset, product, workshop, { chunks: 8, sources: 8 })).disagreements, []);
    await workshop.ledger.record({ ...accepted, state: "withdrawn" });
    await workshop.settle();
    await assert.rejects(workshop.read("sst"));
    assert.deepEqual(await workshop.steps(version?.version), [2, 2, 2, 2, 2, 2]);
  });
});
