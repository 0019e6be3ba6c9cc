import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { GranuleResult } from "../../src/contract/index.ts";
import { type Dataset, parseDatasetFile } from "../../src/dataset/index.ts";
import { applyDatasets } from "../../src/starters/index.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

const MINUTE_MS = 60_000;
const HOLD_MS = 5_000;

suite("provisional granules on a real Temporal server", { skip: missingTemporal(), timeout: 120_000 }, () => {
  let world: World;
  before(async () => {
    world = await World.start();
  });
  after(() => world?.stop());

  test("are held off until they are old enough; then what was said last is looked at, once", async () => {
    const validMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
    const text = `
sources: { s: { at: "${world.agency.url}" } }
---
name: young
from: { source: s }
match: "{valid:%Y%m%d%H%M}.nc"
hold: ${Date.now() - validMs + HOLD_MS}ms
products: [ { timeseries: { calendar: { every: 1m }, store: stores/young } } ]
`;
    const dataset = parseDatasetFile(text, { file: join(world.settings.home, "young.yaml") }).datasets[0] as Dataset;
    await applyDatasets(world.client, world.ledger, [dataset]);
    const name = `${new Date(validMs).toISOString().replace(/[-:T]/g, "").slice(0, 12)}.nc`;
    const publish = (value: number): Promise<void> =>
      world.agency.publish(name, granuleBytes({ seconds: [validMs / 1000], value: () => value }));
    await publish(1);
    const { workflowId, key } = await world.announce(name);
    const { reason } = await world.inStage(workflowId, "announced");
    assert.match(reason, /^held off until .*: its source may yet correct it$/);
    await publish(2);
    await world.announce(name);
    const result = (await world.client.workflow.getHandle(workflowId).result()) as GranuleResult;
    assert.equal(result.stage, "ready");
    assert.ok(Date.now() >= validMs + (dataset.holdMs as number), "it was held off");
    const revisions = await world.ledger.revisionsOf("young", key);
    assert.equal(revisions.length, 1, "the provisional one was never looked at");
    assert.equal(revisions[0]?.identity, result.identity);
    await world.settled("young");
    const { events } = await world.client.workflow.getHandle(workflowId).fetchHistory();
    const downloads = (events ?? []).filter(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === "download",
    );
    assert.equal(downloads.length, 1);
  });
});
