import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DurableTemporal } from "../crashes/durable-temporal.ts";
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
  const temporal = await DurableTemporal.start(join(folder, "temporal.db"));
  const broker = await BROKERS[kind]();
  const world = await BrokerWorld.start({ temporal: async () => temporal });
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
    const began = Date.now();

    let starter = start();
    await starter.says("messages are taken");
    await announce(0, 2_000);
    for (let death = 1; death <= DEATHS; death++) {
      await until(async () => (await world.heard()) >= death * 50, "granules are heard of", PATIENCE_MS);
      await starter.kill();
      starter = start();
    }
    await starter.says("messages are taken");

    await temporal.kill();
    await announce(2_000, 3_500);
    await starter.says("Temporal, or the ledger, does not answer");
    await sleep(TEMPORAL_AWAY_MS);
    await temporal.start();
    await starter.says("Temporal, or the ledger, answers again");

    await broker.kill();
    await starter.says(/the (queue|broker) does not answer/);
    await broker.startAgain();
    await starter.says(/the (queue|broker) answers again/);
    await announce(broker.forgets ? 0 : 3_500, ANNOUNCEMENTS);

    await until(async () => (await broker.left()) === 0, "the queue is empty", PATIENCE_MS);
    const takenMs = Date.now() - began;
    await until(async () => (await world.published()) === GRANULES, "all are published", PATIENCE_MS);
    assert.equal(await starter.interrupt(), 130);
    assert.deepEqual(await world.endState(GRANULES), expectedEnd(GRANULES));
    assert.equal(starter.warnings.length, 2, starter.warnings.join("\n"));
    const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
    return `${GRANULES} granules announced ${ANNOUNCEMENTS} times, taken in ${seconds(takenMs)}, published in ${seconds(Date.now() - began)}`;
  } finally {
    await broker.stop();
    await world.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
