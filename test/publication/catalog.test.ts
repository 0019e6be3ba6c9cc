import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { missingPython, PYTHON } from "../support/python.ts";
import { deliver, filesOf, pointed, publishForms, withForms } from "./form-shop.ts";
import { Workshop } from "./workshop.ts";

const READER = fileURLToPath(new URL("../python/read_stac.py", import.meta.url));
const CATALOG = `{ title: Sea surface, license: CC-BY-4.0, keywords: [sst], providers: [ { name: Agency, roles: [producer] } ],
  stac: { to: forms/stac, every: 0s }, xreds: { to: forms/xreds/datasets.json, every: 0s } }`;
const JSON_FORM = "{ kerchunk-json: { to: forms/json, every: 0s } }";

let workshop: Workshop;
afterEach(() => workshop?.stop());

async function start(catalog = CATALOG): Promise<void> {
  workshop = await Workshop.start({ products: withForms(JSON_FORM), catalog });
  for (const day of [1, 3]) await deliver(workshop, day, day);
  await workshop.settle();
}

const states = async (now?: () => number): Promise<[string | undefined, number | undefined, string][]> =>
  (await publishForms(workshop, now)).map(({ form, shows, trouble }) => [form.split(" ")[0], shows, trouble]);
const json = async (path: string) => JSON.parse(await readFile(join(workshop.folder, "forms", path), "utf8"));

describe("the catalogue", () => {
  test("in STAC is valid, and what it names opens as it says", { skip: missingPython() }, async () => {
    await start();
    assert.deepEqual(await states(), [
      ["kerchunk-json", 1, ""],
      ["stac", 1, ""],
      ["xreds", 1, ""],
    ]);
    const first = (await pointed(workshop, "stac/timeseries")).place;
    await deliver(workshop, 5, 5);
    await workshop.settle();
    await publishForms(workshop);
    const collection = join(workshop.folder, "forms/stac/timeseries/collection.json");
    const { stdout } = await promisify(execFile)(PYTHON as string, [READER, collection]);
    const read = JSON.parse(stdout);
    assert.deepEqual([read.collection, read.item], ["sst", "sst-v2"]);
    assert.deepEqual(read.bbox, [1, 10, 3, 20]);
    assert.deepEqual(read.interval, ["2017-06-01T12:00:00+00:00", "2017-06-05T12:00:00+00:00"]);
    assert.deepEqual(read.dimensions.time, ["temporal", ["2017-06-01T12:00:00.000Z", "2017-06-05T12:00:00.000Z"]]);
    assert.deepEqual(read.dimensions.lat, ["spatial", [10, 20]]);
    assert.deepEqual(read.variables.sst, ["time", "lat", "lon"]);
    const references = await readFile((await pointed(workshop, "json")).place);
    assert.deepEqual(read.checksums, [`1220${createHash("sha256").update(references).digest("hex")}`]);
    assert.match(read.previous[0], new RegExp(`${first.slice(first.lastIndexOf("/") + 1)}$`));
    assert.deepEqual(Object.keys(read.opened), ["icechunk", "kerchunk-json"]);
    assert.deepEqual(read.opened.icechunk.sizes, { time: 5, lat: 2, lon: 3 });
    assert.deepEqual(read.opened.icechunk, read.opened["kerchunk-json"]);
  });

  test("is of one version: a collection that a dead writer left behind is made anew, and an item never changes", async () => {
    await start();
    await publishForms(workshop);
    const before = await filesOf(workshop, "stac/timeseries");
    const collection = await json("stac/timeseries/collection.json");
    await writeFile(join(workshop.folder, "forms/stac/timeseries/collection.json"), "{}");
    await publishForms(workshop);
    assert.deepEqual(await json("stac/timeseries/collection.json"), collection);
    assert.deepEqual(await filesOf(workshop, "stac/timeseries"), before);
    assert.equal(collection["freshet:granules"], 2);
  });

  test("for xreds names what it can open, beside the entries of others", async () => {
    await start();
    await publishForms(workshop);
    const file = join(workshop.folder, "forms/xreds/datasets.json");
    await writeFile(file, JSON.stringify({ ...(await json("xreds/datasets.json")), mine: { path: "a.nc", type: "netcdf" } }));
    await deliver(workshop, 5, 5);
    await workshop.settle();
    await publishForms(workshop);
    const { mine, sst } = await json("xreds/datasets.json");
    assert.deepEqual(mine, { path: "a.nc", type: "netcdf" });
    assert.deepEqual([sst.type, sst.path], ["kerchunk", join(workshop.folder, "forms/json/latest.json")]);
    assert.deepEqual([sst.storage_options.remote_protocol, sst.freshet.sequence], ["file", 2]);
    await writeFile(file, "- a list");
    await deliver(workshop, 6, 6);
    await workshop.settle();
    assert.match((await states()).at(-1)?.[2] ?? "", /the dataset map of xreds cannot be read/);
    assert.equal(await readFile(file, "utf8"), "- a list");
  });

  test("has its own cadence, and says what it cannot do", async () => {
    await start("{ stac: { to: forms/stac, every: 1h }, xreds: { to: forms/datasets.json } }");
    workshop.use({
      products: withForms("{ kerchunk-json: { to: forms/zstd, every: 0s, compress: zstd } }"),
      catalog: "{ stac: { to: forms/stac, every: 1h }, xreds: { to: forms/datasets.json } }",
    });
    const nowMs = Date.now();
    const [, stac, xreds] = await states(() => nowMs);
    assert.deepEqual(stac, ["stac", 1, ""]);
    assert.match(xreds?.[2] ?? "", /xreds can open this product in none of its forms.*kerchunk-json/);
    await deliver(workshop, 2, 2);
    await workshop.settle();
    assert.deepEqual((await states(() => nowMs + 1000))[1], ["stac", 1, ""]);
    assert.deepEqual((await states(() => nowMs + 3_600_000))[1], ["stac", 2, ""]);
  });
});
