import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { Hook } from "../notify/hook.ts";
import { MOGREPS, OSTIA } from "../support/granules.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

interface Event {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, string | number>>;
}

suite("those whom the dataset file names, on a real Temporal server", { skip: missingTemporal(), timeout: 180_000 }, () => {
  let world: World;
  let hook: Hook;
  before(async () => {
    hook = await Hook.start();
    const more = `notify: [ { when: [published, quarantined], webhook: { url: "${hook.url}/hook" } }, { when: quiet, webhook: { url: "${hook.url}/quiet" } } ]`;
    world = await World.start({ more });
  });
  after(async () => {
    await world?.stop();
    await hook?.stop();
  });

  const heard = (): Event[] => hook.calls.map(({ body }) => JSON.parse(body) as Event);

  test("are told of each version once it is published, also when they are away at first", async () => {
    hook.statuses = [503, 500, 204];
    const [first, second] = OSTIA;
    await world.deliver(first as (typeof OSTIA)[number]);
    await world.until(async () => hook.calls.length >= 3, "the third call is taken");
    await world.deliver(second as (typeof OSTIA)[number]);
    await world.until(async () => hook.calls.length >= 4, "the second version is told of");
    const [publication] = await world.ledger.publications("ostia", "timeseries", 1);
    assert.deepEqual(
      heard().map(({ id }) => id),
      ["ostia/timeseries#1", "ostia/timeseries#1", "ostia/timeseries#1", "ostia/timeseries#2"],
    );
    assert.equal(heard().at(-1)?.data.version, publication?.snapshot);
    assert.ok(hook.calls.every(({ path }) => path === "/hook"));
  });

  test("are told of what waits for a decision", async () => {
    hook.calls.length = 0;
    const [granule] = MOGREPS;
    const name = (granule as (typeof MOGREPS)[number]).name;
    await world.agency.publish(name, { copyOf: (OSTIA[0] as (typeof OSTIA)[number]).path });
    const { workflowId, key } = await world.announce(name);
    await world.inStage(workflowId, "quarantined");
    await world.until(async () => hook.calls.length > 0, "the quarantine is told of");
    const [event] = heard();
    assert.equal(event?.type, "freshet.quarantined");
    assert.equal(event?.data.granule, key);
    assert.match(`${event?.data.reason}`, /./);
  });
});
