import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findTemporal } from "../../src/cli/demo/find-temporal.ts";
import { freePort } from "../../src/cli/demo/free-port.ts";
import { startTemporalServer } from "../../src/cli/demo/temporal-server.ts";
import { BROKERS } from "./announced-by.ts";
import { BrokerWorld, expectedEnd, until } from "./broker-world.ts";
import { StarterProcess } from "./starter-process.ts";

const ANNOUNCEMENTS = 5_000;
const GRANULES = 1_000;
const TEMPORAL_AWAY_MS = 60_000;
const DEATHS = 5;
const PATIENCE_MS = 30 * 60_000;

/**
 * Thousands of announcements in no order, each granule five times, while starters die, the broker dies and Temporal is away for a minute:
 * every granule is recorded and published once. Answers a line with figures.
 */
export async function longTrial(kind: keyof typeof BROKERS): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "freshet-long-"));
  const found = findTemporal();
  if (found.kind === "address") throw new Error("a server that others use cannot be stopped");
  const [port, uiPort] = [await freePort(0), await freePort(0)];
  const startTemporal = () => startTemporalServer({ cli: found.path, folder, port, uiPort }, new AbortController().signal);
  let temporal = await startTemporal();
  const broker = await BROKERS[kind]();
  const world = await BrokerWorld.start({ temporal: async () => temporal });
  const say = (what: string): void => console.log(`  ${kind}: ${what}, ${seconds(Date.now() - began)}`);
  const began = Date.now();
  try {
    await world.apply(broker.delivery);
    const names = await world.putAll(GRANULES);
    // 7 919 is a prime that 5 000 is not divided by.
    const announced = Array.from(
      { length: ANNOUNCEMENTS },
      (_, index) => names[((index * 7_919) % ANNOUNCEMENTS) % GRANULES] as string,
    );
    const announce = (from: number, to: number): Promise<void> => broker.announce(world.agency.url, announced.slice(from, to));
    const start = (): StarterProcess => new StarterProcess(["starter", kind], { ...world.environment, ...broker.environment });
    let starter = start();
    await starter.says("messages are taken");
    await announce(0, 2_000);
    for (let death = 1; death <= DEATHS; death++) {
      await until(async () => (await world.heard()) >= death * 50, "granules are heard of", PATIENCE_MS);
      await starter.kill();
      starter = start();
    }
    await starter.says("messages are taken");

    say(`${DEATHS} starters have died`);
    await temporal.stop();
    await announce(2_000, 3_500);
    await starter.says("Temporal, or the ledger, does not answer");
    await sleep(TEMPORAL_AWAY_MS);
    temporal = await startTemporal();
    await starter.says("Temporal, or the ledger, answers again");
    say("Temporal was away for a minute, and is back");

    await broker.kill();
    await starter.says(/the (queue|broker) does not answer/);
    await broker.startAgain();
    await starter.says(/the (queue|broker) answers again/);
    say("the broker died, and is back");
    await announce(broker.forgets ? 0 : 3_500, ANNOUNCEMENTS);

    await until(async () => (await broker.left()) === 0, "the queue is empty", PATIENCE_MS);
    const takenMs = Date.now() - began;
    say("all is taken");
    await until(async () => (await world.published()) === GRANULES, "all are published", PATIENCE_MS);
    assert.equal(await starter.interrupt(), 130);
    assert.deepEqual(await world.endState(GRANULES), expectedEnd(GRANULES));
    assert.deepEqual(
      starter.warnings.filter((warning) => !/: (the (queue|broker)|Temporal, or the ledger,) does not answer: /.test(warning)),
      [],
    );
    return `${GRANULES} granules announced ${ANNOUNCEMENTS} times, taken in ${seconds(takenMs)}, published in ${seconds(Date.now() - began)}`;
  } finally {
    await broker.stop();
    await world.stop();
    await temporal.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
