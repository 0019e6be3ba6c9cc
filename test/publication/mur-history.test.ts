import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as zarr from "zarrita";
import type { RevisionId } from "../../src/ledger/index.ts";
import { lookAtProduct } from "../../src/publication/index.ts";
import { compareInPython, missingPython, PYTHON } from "../support/python.ts";
import { Workshop } from "./workshop.ts";

const SCRIPT = fileURLToPath(new URL("../python/mur_granules.py", import.meta.url));
/** The first one announced gives the dataset its form: that of most days, with every variable. */
const FORM = "20220127";
const COPIED = [
  "20030911",
  "20210220",
  "20211224",
  "20221109",
  "20230224",
  "20230422",
  "20230904",
  "20240306",
  "20240324",
  "20240602",
  "20250425",
];
const WITHOUT_VARIABLES = ["20020601", "20030912", "20170401"];

let workshop: Workshop;
let names: string[];
before(async () => {
  if (missingPython() !== false) return;
  workshop = await Workshop.start({
    name: "mur",
    match: "{valid:%Y%m%d%H%M%S}-JPL-L4_GHRSST-SSTfnd-MUR-GLOB-v02.0-fv04.1.nc",
    calendar: '{ every: 1d, at: "09:00Z" }',
    missing: "omit",
    drift: "{ chunks: native, codecs: native, variables: native, default: quarantine }",
    attributes:
      '{ "sea_ice_fraction:units": drop, "sea_ice_fraction:standard_name": drop, "mask:flag_values": drop, "mask:flag_meanings": drop, ' +
      "time_coverage_start: min, time_coverage_end: max, date_created: latest, source: list, title: first, spatial_resolution: must-equal }",
  });
  const { stdout } = await promisify(execFile)(PYTHON as string, [SCRIPT, join(workshop.folder, "in")]);
  names = stdout.trim().split("\n");
});
after(() => workshop?.stop());

const deliver = async (name: string): Promise<RevisionId> =>
  workshop.deliver(name, await readFile(join(workshop.folder, "in", name)));

describe("the chunk history of MUR, 2002 to 2025", { skip: missingPython() }, () => {
  test("becomes one dataset by policy, each day bit for bit what its file is", async () => {
    const form = names.find((name) => name.startsWith(FORM)) as string;
    const drifts = new Map<string, { action: string; filled?: string[] } | undefined>();
    for (const name of [form, ...names.filter((other) => other !== form)]) {
      const id = await deliver(name);
      const last = (await workshop.ledger.history(id.dataset, id.key)).at(-1);
      assert.equal(last?.state, "ready", `${name}: ${last?.reason}`);
      drifts.set(name.slice(0, 8), last?.detail.drift as never);
    }
    const copies = [...drifts].filter(([, drift]) => drift?.action === "native").map(([day]) => day);
    assert.deepEqual(copies.sort(), [...COPIED, ...WITHOUT_VARIABLES].sort());
    assert.deepEqual(drifts.get("20020601")?.filled, ["/dt_1km_data", "/sst_anomaly"]);

    const [published, ...more] = await workshop.settle();
    assert.deepEqual(more, []);
    assert.equal(published?.granules, names.length);
    const slots = new Map(names.map((name, slot) => [slot, join(workshop.folder, "in", name)]));
    const { wrong, compared, sizes } = await compareInPython(join(workshop.folder, "store"), published?.version as string, slots);
    assert.deepEqual(wrong, []);
    assert.ok(compared > names.length * 14);
    assert.equal(sizes.time, names.length);
  });

  test("a day without a variable reads as missing values of it, and those alone", async () => {
    const state = await lookAtProduct(workshop.dataset, workshop.dataset.products[0] as never);
    const store = (await state?.store.reader(state.head)) as unknown as zarr.AsyncReadable;
    const array = await zarr.open(zarr.root(store).resolve("dt_1km_data"), { kind: "array" });
    for (const [slot, name] of names.entries()) {
      const { data } = await zarr.get(array, [slot, null, null]);
      const isMissing = (data as Int8Array).every((value) => value === -128);
      assert.equal(isMissing, name < "2017", name);
    }
  });
});
