import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { DatasetStatus } from "../../src/contract/index.ts";
import { OSTIA } from "../support/granules.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

suite("a server that suggests continuing as new after 40 events", { skip: missingTemporal(), timeout: 180_000 }, () => {
  let world: World;
  before(async () => {
    world = await World.start({ serverArguments: ["--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=40"] });
  });
  after(() => world?.stop());

  test("the dataset workflow goes on in new runs, and nothing is published twice or lost", async () => {
    for (const granule of OSTIA) await world.deliver(granule);
    for (const { name } of OSTIA) {
      const { workflowId } = await world.announce(name);
      await world.client.workflow.getHandle(workflowId).result();
    }
    const handle = world.client.workflow.getHandle("dataset:ostia");
    await world.until(async () => {
      const status = (await handle.query("status")) as DatasetStatus;
      return status.published === 3 && status.wakes >= 3;
    }, "counts are carried on");
    const runs = await Array.fromAsync(world.client.workflow.list({ query: 'WorkflowId="dataset:ostia"' }));
    await world.until(async () => {
      const found = await Array.fromAsync(world.client.workflow.list({ query: 'WorkflowId="dataset:ostia"' }));
      return found.filter(({ status }) => status.name === "CONTINUED_AS_NEW").length >= 1;
    }, `there is more than one run (${runs.length})`);
    assert.equal((await world.ledger.publications("ostia", "timeseries", 10)).length, 3);
  });
});
