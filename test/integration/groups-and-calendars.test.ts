import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import * as zarr from "zarrita";
import { type Dataset, parseDatasetFile } from "../../src/dataset/index.ts";
import { lookAtProduct } from "../../src/publication/index.ts";
import { applyDatasets } from "../../src/starters/index.ts";
import { missingPython, PYTHON } from "../support/python.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

const pythonFile = (name: string): string => fileURLToPath(new URL(`../python/${name}`, import.meta.url));

async function python(script: string, words: readonly string[], input: unknown): Promise<string> {
  const child = spawn(PYTHON as string, [pythonFile(script), ...words], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(input));
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  assert.equal(code, 0);
  return output;
}

const HALF_HOUR = 1800;
const BEGIN = Date.UTC(2020, 0, 1) / 1000;
/** Half hours 0, 1 and 3 of 2020-01-01, as IMERG names them. */
const IMERG = [0, 1, 3].map((step) => {
  const time = BEGIN + step * HALF_HOUR;
  const clock = new Date(time * 1000).toISOString().slice(11, 19).replaceAll(":", "");
  const minutes = String(step * 30).padStart(4, "0");
  return { kind: "imerg", name: `3B-HHR.MS.MRG.3IMERG.20200101-S${clock}.${minutes}.V07B.HDF5`, time };
});
/** The end of February in a year that has a 29th for us alone: days since 2000-01-01 of each calendar. */
const NOLEAP = [57, 58, 59].map((time) => ({
  kind: "model",
  name: `noleap_${time}.nc`,
  time: time + 0.5,
  calendar: "365_day",
  units: "days since 2000-01-01",
}));
const DAYS_360 = [58, 59, 60].map((time) => ({
  ...{ kind: "model", name: `equal_${time}.nc`, time: time + 0.5, calendar: "360_day", units: "days since 2000-01-01" },
}));

suite("axes in groups, and dates that are not ours, on a real Temporal server", {
  skip: missingTemporal() || missingPython(),
  timeout: 300_000,
}, () => {
  let world: World;
  let datasets: readonly Dataset[];
  before(async () => {
    world = await World.start();
    const yaml = `
sources: { s: { at: "${world.agency.url}" } }
---
name: imerg
from: { source: s }
match: "3B-HHR.MS.MRG.3IMERG.{valid:%Y%m%d}-S{valid:%H%M%S}.{minutes:4}.V07B.HDF5"
products: [ { timeseries: { axis: Grid/time, calendar: { every: 30m, from: 2020-01-01 }, store: "stores/imerg" } } ]
policies: { missing: omit }
publish: { coalesce: 50ms }
---
name: noleap
from: { source: s }
match: "noleap_{day:2}.nc"
products: [ { timeseries: { calendar: { every: 1d, at: "12:00Z", dates: noleap }, store: "stores/noleap" } } ]
publish: { coalesce: 50ms }
---
name: equal
from: { source: s }
match: "equal_{day:2}.nc"
products: [ { timeseries: { calendar: { every: 1d, at: "12:00Z", dates: 360_day }, store: "stores/equal" } } ]
publish: { coalesce: 50ms }
`;
    ({ datasets } = parseDatasetFile(yaml, { file: join(world.settings.home, "d.yaml") }));
    await applyDatasets(world.client, world.ledger, datasets);
    const all = [...IMERG, ...NOLEAP, ...DAYS_360];
    await python("group_granules.py", [world.agency.folder], all);
    // The later ones first: order is the calendar's business.
    const started = await Promise.all(all.toReversed().map(({ name }) => world.announce(name)));
    for (const { workflowId } of started) await world.inStage(workflowId, "ready");
    for (const { name } of datasets) await world.settled(name);
  });
  after(() => world?.stop());

  async function compared(
    name: string,
    files: readonly { readonly name: string }[],
    groups: readonly string[],
  ): Promise<string[]> {
    const [publication] = await world.ledger.publications(name, "timeseries", 1);
    const paths = files.map((file) => join(world.agency.folder, file.name));
    const store = join(world.settings.home, "stores", name);
    const asked = groups.map((group) => ({ group: group === "" ? null : group, of: group === "" ? null : group, files: paths }));
    const output = await python("compare_groups.py", [store, publication?.snapshot as string], asked);
    const { wrong, compared: count, times } = JSON.parse(output) as { wrong: string[]; compared: number; times: string[] };
    assert.deepEqual(wrong, []);
    assert.ok(count >= 6, `${count} compared`);
    return times;
  }

  test("IMERG: arrays of Grid and Grid/Intermediate are joined along Grid/time, as xarray joins them; no fill of HDF5 is made up", async () => {
    await compared("imerg", IMERG, ["Grid/Intermediate", "Grid"]);
    const [dataset] = datasets as [Dataset];
    const [product] = dataset.products;
    const state = await lookAtProduct(dataset, product as NonNullable<typeof product>);
    assert.ok(state !== undefined);
    const reader = await state.store.reader(state.head);
    const root = zarr.root(reader as unknown as zarr.AsyncReadable);
    const field = await zarr.open(root.resolve("/Grid/Intermediate/IRprecipitation"), { kind: "array" });
    assert.deepEqual(field.shape, [3, 6, 4]);
    const { data } = await zarr.get(await zarr.open(root.resolve("/Grid/time"), { kind: "array" }));
    assert.deepEqual(
      [...(data as Int32Array)],
      IMERG.map(({ time }) => time),
    );
  });

  test("a year without a leap day has no gap after 28 February, and readers decode the source's dates", async () => {
    assert.deepEqual(await compared("noleap", NOLEAP, [""]), [
      "2000-02-27T12:00:00",
      "2000-02-28T12:00:00",
      "2000-03-01T12:00:00",
    ]);
  });

  test("a calendar of equal months has a 29th and a 30th of February", async () => {
    assert.deepEqual(await compared("equal", DAYS_360, [""]), [
      "2000-02-29T12:00:00",
      "2000-02-30T12:00:00",
      "2000-03-01T12:00:00",
    ]);
  });
});
