import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { DatasetStatus } from "../../src/contract/index.ts";
import { datasetWorkflowId } from "../../src/contract/index.ts";
import { type Dataset, parseDatasetFile } from "../../src/dataset/index.ts";
import { applyDatasets } from "../../src/starters/index.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

const DAY_MS = 86_400_000;
const FIRST_MS = Date.UTC(2017, 5, 1);

suite("forms on a real Temporal server", { skip: missingTemporal(), timeout: 120_000 }, () => {
  let world: World;
  before(async () => {
    world = await World.start();
  });
  after(() => world?.stop());

  const home = (path: string): string => join(world.settings.home, path);
  const status = (): Promise<DatasetStatus> => world.client.workflow.getHandle(datasetWorkflowId("formed")).query("status");
  const apply = async (also: string): Promise<void> => {
    const text = `
sources: { s: { at: "${world.agency.url}" } }
---
name: formed
from: { source: s }
match: "{valid:%Y%m%d}.nc"
publish: { coalesce: 0s }
products: [ { timeseries: { calendar: { every: 1d }, store: stores/formed${also} } } ]
`;
    await applyDatasets(world.client, world.ledger, parseDatasetFile(text, { file: home("formed.yaml") }).datasets as Dataset[]);
  };
  const deliver = async (day: number): Promise<void> => {
    const validMs = FIRST_MS + day * DAY_MS;
    const name = `${new Date(validMs).toISOString().slice(0, 10).replaceAll("-", "")}.nc`;
    await world.agency.publish(name, granuleBytes({ seconds: [validMs / 1000], value: () => day }));
    const { workflowId } = await world.announce(name);
    await world.client.workflow.getHandle(workflowId).result();
    await world.settled("formed");
  };
  const shown = async (): Promise<number | undefined> => {
    const text = await readFile(home("forms/json/pointer.json"), "utf8").catch(() => "{}");
    return (JSON.parse(text) as { sequence?: number }).sequence;
  };

  test("follow every version; one that cannot be written is told, and holds no version up", async () => {
    await apply("");
    await deliver(0);
    await writeFile(home("blocked"), "a file");
    await apply(", also: [ { kerchunk-json: { to: blocked, every: 0s } }, { kerchunk-json: { to: forms/json, every: 0s } } ]");
    await world.until(async () => (await shown()) === 1, "the version that was there has its form");
    await deliver(1);
    await world.until(async () => (await shown()) === 2, "the next version has its form");
    await world.until(async () => (await status()).forms?.[1]?.shows === 2, "the workflow says so");
    const { stage, troubles, forms = [] } = await status();
    assert.deepEqual([stage, troubles], ["idle", []]);
    const [blocked, written] = forms;
    assert.match(blocked?.trouble ?? "", /EEXIST|ENOTDIR/);
    assert.deepEqual([blocked?.shows, blocked?.newest, written?.shows, written?.trouble], [undefined, 2, 2, ""]);
    await rm(home("blocked"));
    await deliver(2);
    await world.until(async () => (await status()).forms?.every(({ shows }) => shows === 3) === true, "both show the newest");
  });
});
