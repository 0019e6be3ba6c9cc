import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { GranuleResult } from "../../src/contract/index.ts";
import { OSTIA, type RealGranule } from "../support/granules.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

const [ONE, TWO, THREE] = OSTIA as [RealGranule, RealGranule, RealGranule];

suite("a source that takes a granule back, on a real Temporal server", { skip: missingTemporal(), timeout: 120_000 }, () => {
  let world: World;
  before(async () => {
    world = await World.start();
    for (const granule of [ONE, TWO]) await world.deliver(granule);
  });
  after(() => world?.stop());

  const removal = async (granule: RealGranule): Promise<GranuleResult> => {
    const { workflowId } = await world.announce(granule.name, { removed: true });
    return (await world.client.workflow.getHandle(workflowId).result()) as GranuleResult;
  };
  const states = async (granule: RealGranule): Promise<string[]> =>
    (await world.ledger.revisionsOf("ostia", granule.key)).map(({ state }) => state);
  test("that it still has stays: the message is late, or wrong", async () => {
    const { stage, reason } = await removal(ONE);
    assert.deepEqual([stage, reason], ["duplicate", "this revision is published already"]);
    assert.deepEqual(await states(ONE), ["published"]);
  });

  test("that is gone leaves the product with the next version", async () => {
    await world.agency.withdraw(ONE.name);
    const { stage, reason } = await removal(ONE);
    assert.equal(stage, "withdrawn");
    assert.match(reason, /^its source has taken it back: /);
    assert.deepEqual(await states(ONE), ["withdrawn"]);
    await world.until(async () => (await world.ledger.counts("ostia")).withdrawn === 1, "it is counted");
    await world.until(async () => {
      const [last] = await world.ledger.publications("ostia", "timeseries", 1);
      return last?.granules === 1;
    }, "a version without it");
  });

  test("said twice, that is all", async () => {
    const versions = (await world.ledger.publications("ostia", "timeseries", 100)).length;
    assert.equal((await removal(ONE)).stage, "withdrawn");
    await world.settled("ostia");
    assert.equal((await world.ledger.publications("ostia", "timeseries", 100)).length, versions);
  });

  test("that was never heard of is told so", async () => {
    const { stage, reason } = await removal(THREE);
    assert.deepEqual([stage, reason], ["skipped", "the source says that it is gone; nothing of it came from there"]);
    assert.deepEqual(await states(THREE), []);
  });

  test("that comes back is published again", async () => {
    assert.equal((await world.deliver(ONE)).stage, "ready");
    await world.until(async () => {
      const [last] = await world.ledger.publications("ostia", "timeseries", 1);
      return last?.granules === 2;
    }, "a version with it");
  });
});
