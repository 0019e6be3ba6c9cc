import assert from "node:assert/strict";
import { rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type SweptPage, sweepPage } from "../../src/acquisition/index.ts";
import type { Announcement } from "../../src/contract/index.ts";
import type { Dataset } from "../../src/dataset/index.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { nameOf, noon, Workshop } from "../publication/workshop.ts";

let workshop: Workshop;
let announced: Announcement[];
let nowMs: number;
const HOUR_MS = 3_600_000;

const bytes = (day: number, value: number): Uint8Array => granuleBytes({ seconds: [noon(day) / 1000], value: () => value });
const pathOf = (day: number): string => join(workshop.folder, "in", nameOf(day));

beforeEach(async () => {
  workshop = await Workshop.start();
  announced = [];
  nowMs = Date.now();
  for (const day of [1, 2, 3, 4, 5]) await workshop.deliver(nameOf(day), bytes(day, day * 10));
  await workshop.settle();
});
afterEach(() => workshop.stop());

function sweep(dataset: Dataset = workshop.dataset): Promise<SweptPage> {
  return sweepPage(dataset, undefined, {
    ledger: workshop.ledger,
    announce: async (announcement) => void announced.push(announcement),
    signal: new AbortController().signal,
    onProgress: () => undefined,
    now: () => nowMs,
  });
}

const missing = async (): Promise<string[]> =>
  (await workshop.ledger.missingSources("sst")).map(({ key, state }) => `${key} ${state}`);

describe("a sweep of the sources of what is published", () => {
  test("that finds all as it was notes nothing", async () => {
    const { looked, changed, gone, silent } = await sweep();
    assert.deepEqual([looked, changed, gone, silent], [5, 0, 0, 0]);
    assert.deepEqual(await missing(), []);
    assert.deepEqual(announced, []);
  });

  test("announces what was replaced without a word, and the new revision takes its place", async () => {
    await workshop.put(nameOf(2), bytes(2, 25));
    assert.equal((await sweep()).changed, 1);
    assert.deepEqual(await missing(), ["20170602T120000Z changed"]);
    assert.equal(announced.length, 1);
    await workshop.take((announced[0] as Announcement).uri);
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [10, 25, 30, 40, 50]);
  });

  test("withdraws what is gone at two sweeps, half an interval apart, and not before", async () => {
    await rm(pathOf(3));
    assert.deepEqual([(await sweep()).gone, (await sweep()).withdrawn], [1, 0]);
    nowMs += 4 * HOUR_MS;
    assert.equal((await sweep()).withdrawn, 1);
    workshop.publisher = workshop.newPublisher();
    await workshop.settle();
    const steps = await workshop.read("time");
    assert.equal(steps.length, 5);
    assert.equal((await workshop.states())["20170603T120000Z"], "withdrawn");
  });

  test("keeps what is gone where the dataset file says so, and takes note when it is back", async () => {
    const times = new Date(1_700_000_002_000);
    await rm(pathOf(3));
    const keeping: Dataset = { ...workshop.dataset, policies: { ...workshop.dataset.policies, withdrawn: "keep" } };
    await sweep(keeping);
    nowMs += 24 * HOUR_MS;
    assert.equal((await sweep(keeping)).withdrawn, 0);
    assert.deepEqual(await missing(), ["20170603T120000Z gone"]);
    await workshop.put(nameOf(3), bytes(3, 30));
    await utimes(pathOf(3), times, times);
    nowMs += HOUR_MS;
    await sweep(keeping);
    assert.deepEqual(await missing(), []);
  });

  test("withdraws nothing when most sources are gone at once: that is an outage", async () => {
    for (const day of [1, 2, 3, 4]) await rm(pathOf(day));
    await sweep();
    nowMs += 24 * HOUR_MS;
    const { gone, withdrawn } = await sweep();
    assert.deepEqual([gone, withdrawn], [4, 0]);
  });
});
