import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, test } from "node:test";
import { promisify } from "node:util";
import * as zarr from "zarrita";
import type { Operation, OperationResult } from "../../src/contract/index.ts";
import type { Product } from "../../src/dataset/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { checkProduct } from "../../src/publication/check-product.ts";
import { lookAtProduct, Operator, ProductStores } from "../../src/publication/index.ts";
import { type Attribute, netcdf3Bytes } from "../formats/netcdf3/netcdf3-bytes.ts";
import { granuleBytes, type MadeGranule } from "../products/made-granule.ts";
import { missingPython, PYTHON } from "../support/python.ts";
import { publishForms } from "./form-shop.ts";
import { nameOf, noon, Workshop, type WorkshopOptions } from "./workshop.ts";

const HOUR = 3600;

let workshop: Workshop;
afterEach(() => workshop?.stop());

async function start(options: WorkshopOptions): Promise<void> {
  workshop = await Workshop.start({ match: "{valid:%Y%m%d}.nc", ...options });
}

async function operate(operation: Operation): Promise<OperationResult> {
  const { ledger, scans, dataset, reference } = workshop;
  const operator = new Operator({ ledger, scans, stores: new ProductStores(), now: Date.now });
  const request = { id: randomUUID(), reference, dataset, tick: () => undefined, signal: new AbortController().signal };
  const [result] = await operator.carryOut(request, operation);
  assert.ok(result);
  workshop.publisher = workshop.newPublisher();
  return result;
}

const why = { reason: "a test", by: "anna" };

/** What `freshet verify` finds, by reading chunks of the store and of the sources. */
async function verify(): Promise<void> {
  const [product] = workshop.dataset.products as [Product];
  const { disagreements, compared } = await checkProduct(workshop.dataset, product, workshop, { chunks: 8, sources: 8 });
  assert.deepEqual(disagreements, []);
  assert.ok(
    compared.every(({ count }) => count > 0),
    JSON.stringify(compared),
  );
}

const times = async (): Promise<number[]> => (await workshop.read("time")).map((seconds) => seconds * 1000);

/** A granule of June 2017 with steps so many hours after the day's midnight. */
const granule = (day: number, hours: readonly number[], value: number, more: MadeGranule = {}): Uint8Array =>
  granuleBytes({ seconds: hours.map((hour) => noon(day) / 1000 + (hour - 12) * HOUR), value: (step) => value + step, ...more });

const fileOf = (day: number, suffix = ""): string => nameOf(day, suffix).replace("120000", "");

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
      {
        name: "lat",
        type: "float32",
        dimensions: [0, 1],
        attributes: [["standard_name", "char", "latitude"]],
        values: cells(value + 100),
      },
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

const collection =
  'along: granule, order: [start, rev], store: "store", coordinates: { granule: "{rev}", start: "{start}", file: name, orbit: "@orbit_number", equator: "@equator" }';
const SWATHS = { match: "s{start:%Y%m%d}_{rev:int}.nc", products: `[ { collection: { ${collection} } } ]` };
const texts = async (variable: string): Promise<string[]> => {
  const state = await lookAtProduct(workshop.dataset, workshop.dataset.products[0] as Product);
  const store = (await state?.store.reader(state.head)) as unknown as zarr.AsyncReadable;
  const { data } = await zarr.get(await zarr.open(zarr.root(store).resolve(variable), { kind: "array" }));
  return [...(data as Iterable<string>)];
};

const RECORD = {
  match: "r_{end:%Y%m}_{issue:int}.nc",
  products: '[ { collection: { along: none, newest: "{end}", store: "store" } } ]',
};
const record = (steps: number, value: number, more: MadeGranule = {}): Uint8Array =>
  granuleBytes({ seconds: Array.from({ length: steps }, (_, step) => step * 86_400), value: () => value, ...more });

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

describe("a collection along its granules", () => {
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
    await verify();
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
    await verify();
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
    await verify();
    await workshop.ledger.record({ ...accepted, state: "withdrawn" });
    await workshop.settle();
    await assert.rejects(workshop.read("sst"));
    assert.deepEqual(await workshop.steps(version?.version), [2, 2, 2, 2, 2, 2]);
  });
});

describe("an earlier version, and all anew", () => {
  test("along time: rolled back, released with what came meanwhile in between, rebuilt; each as it is verified", async () => {
    await start({ products: '[ { collection: { along: time, store: "store", split: 50 } } ]' });
    await workshop.deliver(fileOf(2), granule(2, [0, 6], 20));
    await workshop.deliver(fileOf(8), granule(8, [0, 7], 80));
    await workshop.settle();
    await workshop.deliver(fileOf(9), granule(9, [0, 7], 90));
    await workshop.settle();
    await operate({ kind: "rollback", to: 1, ...why });
    assert.deepEqual(await workshop.steps(), [20, 21, 80, 81]);
    await verify();
    await workshop.deliver(fileOf(5), granule(5, [0, 7], 50));
    assert.equal((await operate({ kind: "release", ...why })).granules, 4);
    assert.deepEqual(await workshop.steps(), [20, 21, 50, 51, 80, 81, 90, 91]);
    await verify();
    const before = await times();
    assert.equal((await operate({ kind: "rebuild", ...why })).granules, 4);
    assert.deepEqual(await workshop.steps(), [20, 21, 50, 51, 80, 81, 90, 91]);
    assert.deepEqual(await times(), before);
    await verify();
    assert.deepEqual(await workshop.settle(), []);
  });

  test("along granules, with texts that are longer and shorter", async () => {
    await start(SWATHS);
    await workshop.deliver("s20170602_1.nc", swath(2));
    await workshop.settle();
    await workshop.deliver("s20170601_12345.nc", swath(1));
    await workshop.settle();
    await operate({ kind: "rollback", to: 1, ...why });
    assert.deepEqual([await texts("file"), await workshop.read("granule")], [["s20170602_1.nc"], [1]]);
    await verify();
    await operate({ kind: "release", ...why });
    await operate({ kind: "rebuild", ...why });
    assert.deepEqual(await texts("file"), ["s20170601_12345.nc", "s20170602_1.nc"]);
    assert.deepEqual(await texts("equator"), ["E1", "E2"]);
    await verify();
  });

  test("of a record: the one before, with its own length and chunks", async () => {
    await start(RECORD);
    await workshop.deliver("r_201701_1.nc", record(5, 1));
    await workshop.settle();
    await workshop.deliver("r_201702_1.nc", record(7, 2));
    await workshop.settle();
    await operate({ kind: "rollback", to: 1, ...why });
    assert.deepEqual(await workshop.steps(), [1, 1, 1, 1, 1]);
    await verify();
    await workshop.deliver("r_201703_1.nc", record(8, 3));
    await operate({ kind: "release", ...why });
    assert.deepEqual(await workshop.steps(), [3, 3, 3, 3, 3, 3, 3, 3]);
    await operate({ kind: "rebuild", ...why });
    assert.deepEqual(await workshop.steps(), [3, 3, 3, 3, 3, 3, 3, 3]);
    await verify();
  });
});

/** Swaths whose chunks are as long as told; each is a day of June 2017. */
const CHUNKED_SWATH = `
import sys, h5py, numpy as np
path, day, chunk = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with h5py.File(path, "w") as file:
    file.attrs["orbit_number"] = np.int32(day)
    file.attrs["equator"] = f"E{day}"
    for name, start in (("wind", 0), ("lat", 100)):
        values = (np.arange(24).reshape(6, 4) + start + 1000 * day).astype("f4")
        file.create_dataset(name, data=values, chunks=(chunk, 4), compression=4, shuffle=True)
`;

describe("a swath of another form, by policy", () => {
  test("epoch: other sizes go into a group of their own, with their own coordinates", async () => {
    await start({ ...SWATHS, drift: "epoch" });
    await workshop.deliver("s20170601_1.nc", swath(1));
    await workshop.deliver("s20170603_3.nc", swath(3, { length: 4 }));
    await workshop.settle();
    await workshop.deliver("s20170604_4.nc", swath(4));
    await workshop.deliver("s20170602_2.nc", swath(2, { length: 4 }));
    await workshop.settle();
    assert.deepEqual(
      [await workshop.read("granule"), await texts("file")],
      [
        [1, 4],
        ["s20170601_1.nc", "s20170604_4.nc"],
      ],
    );
    assert.deepEqual(await workshop.read("epoch_2/granule"), [2, 3]);
    assert.deepEqual(await texts("epoch_2/file"), ["s20170602_2.nc", "s20170603_3.nc"]);
    assert.deepEqual(
      (await workshop.read("epoch_2/lat")).filter((_, cell) => cell % 8 === 0),
      [102, 103],
    );
    await verify();
  });

  test("native: other chunks are copied into the first one's", { skip: missingPython() }, async () => {
    await start({ ...SWATHS, drift: "native" });
    for (const [day, chunk] of [
      [1, 3],
      [3, 3],
      [2, 2],
    ]) {
      const path = join(workshop.folder, "made.nc");
      await promisify(execFile)(PYTHON as string, ["-c", CHUNKED_SWATH, path, `${day}`, `${chunk}`]);
      const { dataset, key } = await workshop.deliver(`s2017060${day}_${day}.nc`, await readFile(path));
      const drift = (await workshop.ledger.history(dataset, key)).at(-1)?.detail.drift as { action?: string } | undefined;
      assert.equal(drift?.action, chunk === 2 ? "native" : undefined);
    }
    await workshop.settle();
    const expected = (start: number) =>
      [1, 2, 3].flatMap((day) => Array.from({ length: 24 }, (_, cell) => cell + start + 1000 * day));
    assert.deepEqual(await workshop.read("wind"), expected(0));
    assert.deepEqual(await workshop.read("lat"), expected(100));
    assert.deepEqual(await texts("equator"), ["E1", "E2", "E3"]);
    await verify();
  });
});

describe("the catalogue of a collection", () => {
  const catalog = "{ stac: { to: forms/stac, every: 0s } }";
  const collectionJson = async () =>
    JSON.parse(await readFile(join(workshop.folder, "forms/stac/collection/collection.json"), "utf8"));

  test("of swaths says when they begin; their latitudes are in the granules, and no granule is read", async () => {
    await start({ ...SWATHS, catalog });
    for (const day of [2, 1]) await workshop.deliver(`s2017060${day}_${day}.nc`, swath(day));
    await workshop.settle();
    await rm(join(workshop.folder, "in"), { recursive: true });
    assert.deepEqual(
      (await publishForms(workshop)).map(({ trouble }) => trouble),
      [""],
    );
    const { extent, ...said } = await collectionJson();
    assert.deepEqual(extent.temporal.interval, [["2017-06-01T00:00:00.000Z", "2017-06-02T00:00:00.000Z"]]);
    assert.deepEqual(extent.spatial.bbox, [[-180, -90, 180, 90]]);
    assert.deepEqual(said["cube:variables"].wind.dimensions, ["granule", "along", "cross"]);
    assert.equal(said["cube:variables"].file.type, "auxiliary");
    assert.equal(said["freshet:granules"], 2);
  });

  test("of a record says its span, and of an empty one nothing", async () => {
    await start({ ...RECORD, catalog });
    const first = await workshop.deliver("r_201701_1.nc", record(5, 1));
    await workshop.settle();
    await publishForms(workshop);
    const { extent, ...said } = await collectionJson();
    assert.deepEqual(extent.temporal.interval, [["1970-01-01T00:00:00.000Z", "1970-01-05T00:00:00.000Z"]]);
    assert.deepEqual(said["cube:variables"].sst.shape, [5, 2, 3]);
    await workshop.ledger.record({ ...first, state: "withdrawn" });
    await workshop.settle();
    const [form] = await publishForms(workshop);
    assert.deepEqual([form?.shows, form?.trouble], [2, ""]);
    assert.deepEqual((await collectionJson()).assets, {});
  });
});
