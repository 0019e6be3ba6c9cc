import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { OperationResult } from "../../src/contract/index.ts";
import { canonicalDataset } from "../../src/dataset/index.ts";
import { granuleBytes } from "../products/made-granule.ts";
import type { CrashWorld } from "./crash-world.ts";

/** A part of the story, which ends with a dataset at rest. */
export interface Act {
  readonly name: string;
  readonly play: (world: CrashWorld) => Promise<void>;
}

const FIRST_DAY_MS = Date.UTC(2017, 5, 1, 12);
const DAY_MS = 86_400_000;
const GRACE_MS = 1_100;
const why = { reason: "the story says so", by: "test" };

const noon = (day: number): number => FIRST_DAY_MS + (day - 1) * DAY_MS;
/** The name of a granule of the n-th day. */
export const nameOf = (day: number): string => `${new Date(noon(day)).toISOString().slice(0, 19).replace(/[-:T]/g, "")}.nc`;
/** A granule of the n-th day whose cells all have this value. */
export const bytesOf = (day: number, value: number): Uint8Array =>
  granuleBytes({ seconds: [noon(day) / 1000], value: () => value });
const driftedBytes = (day: number, value: number): Uint8Array =>
  granuleBytes({
    seconds: [noon(day) / 1000],
    value: () => value,
    sst: { scale_factor: ["scale_factor", "float32", [0.5]] },
  });

const arrives = (name: string, day: number, value: number, sequence: number): Act => ({
  name,
  play: async (world) => {
    await world.put(nameOf(day), bytesOf(day, value));
    assert.equal((await world.resultOf(await world.announce(nameOf(day)))).stage, "ready");
    await world.rests(sequence);
  },
});

/** Everything that happens to a dataset, one after the other: so the end is the same whatever goes wrong in between. */
export const STORY = [
  arrives("the first granule arrives", 3, 30, 1),
  arrives("an earlier one arrives late", 1, 10, 2),
  arrives("one fills the gap", 2, 20, 3),
  arrives("one is replaced", 1, 11, 4),
  {
    name: "one has drifted, and is skipped",
    play: async (world) => {
      const id = await quarantined(world, 4);
      assert.equal(await world.update(id, "decide", { action: "skip", ...why }, "skip"), "skipped");
      assert.equal((await world.resultOf(id)).stage, "skipped");
      await world.rests(4);
    },
  },
  {
    name: "one has drifted, and is accepted",
    play: async (world) => {
      const id = await quarantined(world, 5);
      await world.update(id, "decide", { action: "accept", ...why }, "accept");
      assert.equal((await world.resultOf(id)).stage, "ready");
      await world.rests(5);
    },
  },
  {
    name: "an operator rolls back",
    play: async (world) => {
      const [result] = await world.operate<OperationResult[]>("rollback", { to: 3, ...why });
      assert.deepEqual([result?.sequence, result?.granules], [6, 3]);
      await world.rests(6, "held");
    },
  },
  {
    name: "one arrives while the product is held",
    play: async (world) => {
      await world.put(nameOf(6), bytesOf(6, 60));
      assert.equal((await world.resultOf(await world.announce(nameOf(6)))).stage, "ready");
      await world.rests(6, "held");
    },
  },
  {
    name: "the operator releases",
    play: async (world) => {
      await world.operate("release", why);
      await world.rests(7);
    },
  },
  {
    name: "the product is rebuilt",
    play: async (world) => {
      await world.operate("rebuild", why);
      await world.rests(8);
    },
  },
  {
    name: "a range is rebuilt",
    play: async (world) => {
      const range = { from: new Date(noon(2)).toISOString(), to: new Date(noon(3)).toISOString() };
      await world.operate("rebuild", { ...range, ...why }, "rebuild-range");
      await world.rests(9);
    },
  },
  {
    name: "the store is tidied",
    play: async (world) => {
      await sleep(GRACE_MS);
      await world.operate("upkeep", {});
      await world.rests(9);
    },
  },
  arrives("one arrives after that", 7, 70, 10),
  {
    name: "the dataset file changes",
    play: async (world) => {
      const next = world.datasetSplitBy(8);
      const canonical = canonicalDataset(next);
      await world.ledger.keepDataset(canonical);
      const dataset = { name: next.name, hash: canonical.hash };
      await world.operate("change", { dataset, coalesceMs: next.publish.coalesceMs, rebuild: ["timeseries"], ...why });
      world.dataset = next;
      await world.rests(11);
    },
  },
  arrives("one arrives by the new file", 8, 80, 12),
] as const satisfies readonly Act[];

export type ActName = (typeof STORY)[number]["name"];

async function quarantined(world: CrashWorld, day: number): Promise<string> {
  await world.put(nameOf(day), driftedBytes(day, day * 10));
  const id = await world.announce(nameOf(day));
  await world.granuleIs(id, "quarantined");
  return id;
}
