import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Dataset, parseDatasetFile } from "../../src/dataset/index.ts";
import type { Revision } from "../../src/ledger/index.ts";
import { applyDatasets } from "../../src/starters/index.ts";
import { compareInPython, missingPython, PYTHON } from "../support/python.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

const NOON = Date.UTC(2020, 0, 1, 12) / 1000;
const script = fileURLToPath(new URL("../python/szip_granule.py", import.meta.url));

suite("variables that no reader decodes where they are", { skip: missingTemporal() || missingPython(), timeout: 180_000 }, () => {
  let world: World;
  let file: string;
  before(async () => {
    world = await World.start();
    file = join(world.agency.folder, "2020010112.nc");
    await promisify(execFile)(PYTHON as string, [script, file, String(NOON)]);
  });
  after(() => world?.stop());

  async function publish(name: string, scan: string): Promise<{ store: string; version: string; outcomes: unknown }> {
    const text = `
sources: { s: { at: "${world.agency.url}" } }
---
name: ${name}
from: { source: s }
match: "{valid:%Y%m%d%H}.nc"
${scan}
products: [ { timeseries: { calendar: { every: 1d, at: "12:00Z" }, store: "stores/${name}" } } ]
`;
    const dataset = parseDatasetFile(text, { file: join(world.settings.home, "d.yaml") }).datasets[0] as Dataset;
    await applyDatasets(world.client, world.ledger, [dataset]);
    await world.announce("2020010112.nc");
    await world.until(async () => (await world.ledger.counts(name)).published === 1, `${name} is published`);
    const [publication] = await world.ledger.publications(name, undefined, 1);
    const [revision] = await world.ledger.newest(name, 1);
    const history = await world.ledger.history(name, (revision as Revision).key);
    const ready = history.find(({ state }) => state === "ready") as { detail: { variables: unknown } } | undefined;
    const outcomes = ready?.detail.variables;
    return { store: join(world.settings.home, "stores", name), version: publication?.snapshot as string, outcomes };
  }

  // The three coordinates are loaded in both.
  test("are refused beyond 4 MiB, and the others are published", async () => {
    const { outcomes } = await publish("inline", "");
    assert.deepEqual(outcomes, { referenced: 1, inlined: 3, refused: 1 });
  });

  test("are decoded and kept in the store where the dataset file says so; readers get the source's values", async () => {
    const { store, version, outcomes } = await publish("native", "scan: { unreferenceable: native }");
    assert.deepEqual(outcomes, { referenced: 1, inlined: 4, refused: 0 });
    const { wrong, compared } = await compareInPython(store, version, new Map([[0, file]]));
    assert.deepEqual(wrong, []);
    assert.ok(compared >= 4, `${compared} readings`);
  });
});
