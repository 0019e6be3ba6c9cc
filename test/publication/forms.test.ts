import assert from "node:assert/strict";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { compareInPython, missingPython } from "../support/python.ts";
import { refsOf, throughGdal, throughZarrita } from "../support/references.ts";
import {
  deliver,
  EACH_FORM,
  filesOf,
  JSON_FORM,
  PARQUET_FORM,
  pointed,
  publishForms,
  withForms,
  ZSTD_FORM,
} from "./form-shop.ts";
import { nameOf, Workshop, type WorkshopOptions } from "./workshop.ts";

const DATA = fileURLToPath(new URL("../data/", import.meta.url));
const OSTIA = "-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc";

let workshop: Workshop;
afterEach(() => workshop?.stop());

async function start(products: string, options: WorkshopOptions = {}): Promise<void> {
  workshop = await Workshop.start({ products, ...options });
}

describe("every form of a product", { skip: missingPython() }, () => {
  test("reads in xarray as the source files do, bit for bit, with gaps, replacements and late arrivals", async () => {
    await start(withForms(JSON_FORM, ZSTD_FORM, PARQUET_FORM));
    const files = new Map<number, string>();
    const take = async (day: number, value: number): Promise<void> => {
      await deliver(workshop, day, value);
      files.set(day - 1, join(workshop.folder, "in", nameOf(day)));
    };
    await take(1, 10);
    await take(4, 40);
    await workshop.settle();
    await publishForms(workshop);
    await take(3, 30);
    await take(1, 11);
    const [published] = await workshop.settle();
    const states = await publishForms(workshop);
    assert.deepEqual(
      states.map(({ shows, newest, trouble }) => [shows, newest, trouble]),
      [
        [2, 2, ""],
        [2, 2, ""],
        [2, 2, ""],
      ],
    );
    const icechunk = await compareInPython(join(workshop.folder, "store"), published?.version as string, files);
    assert.deepEqual(icechunk.wrong, []);
    for (const form of ["json", "zstd", "parquet"]) {
      const { place, sequence } = await pointed(workshop, form);
      assert.equal(sequence, 2, form);
      const comparison = await compareInPython(place, "references", files);
      assert.deepEqual(comparison, icechunk, form);
    }
    const { place } = await pointed(workshop, "json");
    assert.deepEqual(await throughZarrita(place, "sst"), await workshop.read("sst"));
    assert.deepEqual(await throughZarrita(place, "time"), await workshop.read("time"));
    assert.deepEqual(await throughZarrita(join(workshop.folder, "forms/json/latest.json"), "sst"), await workshop.read("sst"));
    assert.deepEqual(await throughGdal(place, "sst"), await workshop.read("sst"), "GDAL");
  });

  test("of real granules reads in xarray as they do", async () => {
    await start(withForms(JSON_FORM, PARQUET_FORM), { match: `{valid:%Y%m%d%H%M%S}${OSTIA}` });
    const files = new Map<number, string>();
    for (const day of [7, 5, 6]) {
      const name = `2017060${day}120000${OSTIA}`;
      await workshop.deliver(name, await readFile(join(DATA, "netcdf3", name)));
      files.set(day - 5, join(DATA, "netcdf3", name));
      await workshop.settle();
      await publishForms(workshop);
    }
    for (const form of ["json", "parquet"]) {
      const { place } = await pointed(workshop, form);
      const { wrong, compared, gaps } = await compareInPython(place, "references", files);
      assert.deepEqual({ wrong, gaps }, { wrong: [], gaps: [] }, form);
      assert.ok(compared >= 30, `${compared}`);
    }
  });
});

describe("a form", () => {
  test("names granules by the prefixes that it maps", async () => {
    await start(withForms('{ kerchunk-json: { to: forms/json, every: 0s, map: { "in/": "https://data.example.org/a%20b/" } } }'));
    await deliver(workshop, 1, 10);
    await workshop.settle();
    await publishForms(workshop);
    const { place } = await pointed(workshop, "json");
    assert.equal((await refsOf(place))["sst/0.0.0"]?.[0], `https://data.example.org/a%20b/${nameOf(1)}`);
  });

  test("is written no more often than it says, and tells which version it shows", async () => {
    await start(withForms("{ kerchunk-json: { to: forms/json, every: 1h } }"));
    await deliver(workshop, 1, 10);
    await workshop.settle();
    const nowMs = 1_800_000_000_000;
    await publishForms(workshop, () => nowMs);
    await deliver(workshop, 2, 20);
    await workshop.settle();
    const [early] = await publishForms(workshop, () => nowMs + 1000);
    assert.deepEqual([early?.shows, early?.newest, early?.dueMs], [1, 2, nowMs + 3_600_000]);
    const [late] = await publishForms(workshop, () => nowMs + 3_600_000);
    assert.deepEqual([late?.shows, late?.newest, late?.dueMs], [2, 2, undefined]);
  });

  test("that cannot be written says why, and keeps no other back", async () => {
    await start(withForms("{ kerchunk-json: { to: in-the-way, every: 0s } }", PARQUET_FORM));
    await writeFile(join(workshop.folder, "in-the-way"), "a file");
    await deliver(workshop, 1, 10);
    assert.equal((await workshop.settle()).length, 1);
    const [json, parquet] = await publishForms(workshop);
    assert.match(json?.trouble ?? "", /ENOTDIR|EEXIST/);
    assert.deepEqual([json?.shows, parquet?.shows, parquet?.trouble], [undefined, 1, ""]);
    assert.ok((json?.dueMs ?? 0) > Date.now());
    await rm(join(workshop.folder, "in-the-way"));
    const [again] = await publishForms(workshop);
    assert.deepEqual([again?.shows, again?.trouble], [1, ""]);
  });

  test("of another product, or of another history, is not touched", async () => {
    await start(withForms(JSON_FORM));
    await deliver(workshop, 1, 10);
    await workshop.settle();
    await publishForms(workshop);
    const file = join(workshop.folder, "forms/json/pointer.json");
    const pointer = JSON.parse(await readFile(file, "utf8"));
    for (const [change, expected] of [
      [{ product: "other" }, /holds another form.*sst\/other #1/],
      [{ sequence: 7 }, /another history.*#7/],
      [{ version: "ANOTHER" }, /another history.*version ANOTHER/],
      [{ path: "../../etc" }, /pointer of a form cannot be read/],
    ] as const) {
      const text = JSON.stringify({ ...pointer, ...change });
      await writeFile(file, text);
      const [state] = await publishForms(workshop);
      assert.match(state?.trouble ?? "", expected);
      assert.equal(await readFile(file, "utf8"), text);
    }
  });

  test("that is declared otherwise is written anew, of the same version too", async () => {
    await start(withForms(PARQUET_FORM));
    await deliver(workshop, 1, 10);
    await workshop.settle();
    await publishForms(workshop);
    const before = await pointed(workshop, "parquet");
    workshop.use({ products: withForms(PARQUET_FORM.replace("records: 100", 'records: 100, map: { "in/": "https://h/" }')) });
    await publishForms(workshop);
    const after = await pointed(workshop, "parquet");
    assert.equal(after.sequence, before.sequence);
    assert.notEqual(after.place, before.place);
  });

  test("keeps versions as the store does, and always what it shows", async () => {
    await start(withForms(JSON_FORM), { maintenance: "{ grace: 1s, keep: { versions: 2 } }" });
    const later = { ms: 0 };
    for (const day of [1, 2, 3, 4]) {
      await deliver(workshop, day, day);
      await workshop.settle();
      later.ms += 60_000;
      await publishForms(workshop, () => Date.now() + later.ms);
    }
    const versions = (await filesOf(workshop, "json")).filter((name) => name.startsWith("v")).map((name) => name.split("-")[0]);
    assert.deepEqual(versions, ["v3", "v4"]);
    assert.equal((await pointed(workshop, "json")).sequence, 4);
  });
});

describe("Parquet", () => {
  test("takes partitions over that have not changed, and its grid grows and shrinks", async () => {
    await start(withForms(PARQUET_FORM.replace("records: 100", "records: 100")));
    for (let day = 1; day <= 10; day++) await deliver(workshop, day, day);
    await workshop.settle();
    await publishForms(workshop);
    const first = await pointed(workshop, "parquet");
    await deliver(workshop, 12, 12);
    await workshop.settle();
    await publishForms(workshop);
    const second = await pointed(workshop, "parquet");
    const inode = async (place: string, name: string): Promise<number> => (await stat(join(place, name))).ino;
    assert.equal(await inode(first.place, "lat/refs.0.parq"), await inode(second.place, "lat/refs.0.parq"));
    assert.notEqual(await inode(first.place, "sst/refs.0.parq"), await inode(second.place, "sst/refs.0.parq"));
  });
});

describe("documents of granules", () => {
  test("are those of the granules in the version: written, replaced and removed with them", async () => {
    await start(withForms(EACH_FORM));
    await deliver(workshop, 1, 10);
    const second = await deliver(workshop, 2, 20);
    await workshop.settle();
    await publishForms(workshop);
    const path = (day: number): string => `2017/${nameOf(day)}.json`;
    assert.deepEqual(await filesOf(workshop, "each"), [path(1), path(2), "documents.json", "pointer.json"]);
    const document = (day: number): string => join(workshop.folder, "forms/each", path(day));
    assert.deepEqual(await throughZarrita(document(1), "sst"), new Array(6).fill(10));
    const untouched = (await stat(document(2))).ino;
    await deliver(workshop, 1, 11);
    await workshop.settle();
    await publishForms(workshop);
    assert.deepEqual(await throughZarrita(document(1), "sst"), new Array(6).fill(11));
    assert.equal((await stat(document(2))).ino, untouched);
    await workshop.ledger.record({ ...second, state: "withdrawn", reason: "taken back" });
    await workshop.settle();
    await publishForms(workshop);
    assert.deepEqual(await filesOf(workshop, "each"), [path(1), "documents.json", "pointer.json"]);
  });

  test("that would share a path are refused, and nothing is written", async () => {
    await start(withForms('{ references: { to: forms/each, every: 0s, each: "{valid:%Y}.json" } }'));
    await mkdir(join(workshop.folder, "forms/each"), { recursive: true });
    for (const day of [1, 2]) await deliver(workshop, day, day);
    await workshop.settle();
    const [state] = await publishForms(workshop);
    assert.match(state?.trouble ?? "", /would have one path: found 2017\.json for 20170602T120000Z and for 20170601T120000Z/);
    assert.deepEqual(await filesOf(workshop, "each"), []);
  });
});
