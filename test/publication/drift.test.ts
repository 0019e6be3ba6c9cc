import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, test } from "node:test";
import { promisify } from "node:util";
import { isFreshetError } from "../../src/errors/index.ts";
import type { RevisionId } from "../../src/ledger/index.ts";
import type { Attribute } from "../formats/netcdf3/netcdf3-bytes.ts";
import { granuleBytes, type MadeGranule } from "../products/made-granule.ts";
import { missingPython, PYTHON } from "../support/python.ts";
import { nameOf, noon, Workshop } from "./workshop.ts";

let workshop: Workshop;
afterEach(() => workshop.stop());

const deliver = (day: number, options: MadeGranule = {}): Promise<RevisionId> =>
  workshop.deliver(nameOf(day), granuleBytes({ seconds: [noon(day) / 1000], value: () => day, ...options }));

const ICE = {
  name: "ice",
  type: "int16" as const,
  dimensions: [0, 1, 2],
  attributes: [["_FillValue", "int16", [-1]]] as readonly Attribute[],
  recordValues: [[7, 7, 7, 7, 7, 7]],
};

async function lastEntry({ dataset, key }: RevisionId) {
  const entry = (await workshop.ledger.history(dataset, key)).at(-1);
  return { state: entry?.state, reason: entry?.reason ?? "", drift: entry?.detail.drift as Record<string, unknown> | undefined };
}

const OTHER_UNITS: MadeGranule = { sst: { units: ["units", "char", "degC"] } };

describe("a granule of another form, by policy", () => {
  test("epoch: it begins one by itself, and what has its form goes there", async () => {
    workshop = await Workshop.start({ drift: "epoch" });
    await deliver(1);
    const second = await deliver(2, OTHER_UNITS);
    await deliver(3);
    await deliver(4, OTHER_UNITS);
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [1, -32768, 3]);
    assert.deepEqual(
      (await workshop.read("epoch_2/sst")).filter((_, cell) => cell % 6 === 0),
      [2, -32768, 4],
    );
    const { drift } =
      (await workshop.ledger.history("sst", second.key)).map(({ detail }) => detail).find((detail) => "drift" in detail) ?? {};
    assert.deepEqual(drift, { action: "epoch", because: "/sst units: found degC, expected K" });
  });

  test("refuse: it is skipped with the reason, and nobody is asked; of several kinds the strictest policy counts", async () => {
    workshop = await Workshop.start({ drift: "{ units: refuse, packing: epoch, place: refuse }" });
    await deliver(1);
    const other = await deliver(2, { sst: { ...OTHER_UNITS.sst, scale_factor: ["scale_factor", "float32", [0.02]] } });
    const { state, reason } = await lastEntry(other);
    assert.equal(state, "skipped");
    assert.match(reason, /refused, as the dataset file wants.*units: found degC, expected K; .*scale_factor/);
    const beside = await deliver(3, { seconds: [noon(3) / 1000 + 60] });
    assert.match((await lastEntry(beside)).reason, /refused, .*not the one in its name/);
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [1]);
  });

  test("native: a variable that is missing is missing values, one that is new is left out; what a copy cannot mend waits", async () => {
    workshop = await Workshop.start({ drift: "native" });
    await deliver(1, { more: [ICE] });
    const without = await deliver(2);
    const withMore = await deliver(3, { more: [ICE, { ...ICE, name: "snow" }] });
    assert.deepEqual((await lastEntry(without)).drift?.filled, ["/ice"]);
    assert.deepEqual((await lastEntry(withMore)).drift?.leftOut, ["/snow"]);
    await assert.rejects(deliver(4, { ...OTHER_UNITS, more: [ICE] }), (error) => isFreshetError(error, "drift"));
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [1, 2, 3]);
    assert.deepEqual(
      (await workshop.read("ice")).filter((_, cell) => cell % 6 === 0),
      [7, -1, 7],
    );
    await assert.rejects(workshop.read("snow"));
  });

  test("units, a calendar and numbers that are written otherwise are no drift, and stay the first granule's", async () => {
    workshop = await Workshop.start();
    await deliver(1);
    const otherwise = await deliver(2, {
      calendar: "gregorian",
      sst: { units: ["units", "char", "kelvin"] },
    });
    assert.deepEqual([(await lastEntry(otherwise)).state, (await lastEntry(otherwise)).drift], ["ready", undefined]);
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [1, 2]);
  });
});

/** Four steps a file in chunks of three, or of `chunk`; every element differs. */
const CUT_CHUNKS = `
import sys, h5py, numpy as np
folder, day, chunk = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with h5py.File(f"{folder}/201706{day:02}120000.nc", "w") as file:
    time = file.create_dataset("time", data=(np.arange(4) * 6 + 12 + (day - 1) * 24).astype("f8"))
    time.attrs["units"] = "hours since 2017-06-01 00:00:00"
    x = file.create_dataset("x", data=np.arange(5, dtype="f4"))
    for scale in (time, x):
        scale.make_scale()
    values = (np.arange(20).reshape(4, 5) + 100 * day).astype("f4")
    data = file.create_dataset("data", data=values, chunks=(chunk, 2), maxshape=(None, 5), compression=4, shuffle=True)
    data.dims[0].attach_scale(time)
    data.dims[1].attach_scale(x)
`;

describe("a granule that ends inside a chunk along the time axis", { skip: missingPython() }, () => {
  test("is copied in whole chunks under `chunks: native`, the first one too; under quarantine it waits", async () => {
    const calendar = '{ every: 6h, at: "00:00Z", from: "2017-06-01T12:00:00Z" }';
    workshop = await Workshop.start({ drift: "{ chunks: native }", calendar });
    const made: [number, number][] = [
      [1, 3],
      [2, 3],
      [3, 2],
      [4, 4],
    ];
    for (const [day, chunk] of made) {
      const args = ["-c", CUT_CHUNKS, join(workshop.folder, "in"), `${day}`, `${chunk}`];
      await promisify(execFile)(PYTHON as string, args);
    }
    const bytesOf = (day: number): Promise<Buffer> => readFile(join(workshop.folder, "in", nameOf(day)));
    for (const [day, chunk] of made) {
      const { drift } = await lastEntry(await workshop.deliver(nameOf(day), await bytesOf(day)));
      assert.deepEqual([drift?.action, drift?.encoded], chunk === 2 ? [undefined, undefined] : ["native", ["/data"]]);
    }
    await workshop.settle();
    const expected = [1, 2, 3, 4].flatMap((day) => Array.from({ length: 20 }, (_, index) => 100 * day + index));
    assert.deepEqual(await workshop.read("data"), expected);

    const uri = await workshop.put(nameOf(5), await bytesOf(1));
    workshop.use({ calendar });
    await assert.rejects(workshop.take(uri), (error) => isFreshetError(error, "unsupported", "drift"));
  });
});
