import assert from "node:assert/strict";
import { test } from "node:test";
import { describe, playSeed } from "./property.ts";
import type { Tally } from "./scene.ts";

/** What has to happen some time, or the property says nothing. */
const HAPPENS = [
  "published",
  "judged: ready",
  "judged: quarantined",
  "known: published",
  "decide: accept",
  "withdraw",
  "done: rollback",
  "done: release",
  "done: rebuild",
  "done: change",
  "tried: candidate",
  "upkeep",
  "died: publish: swapped",
  "died: record: half told",
];

test("random lives of a dataset go as the model says, value by value: fixed seeds (npm run model: any number of them)", async () => {
  const tally: Tally = new Map();
  for (let seed = 1; seed <= 20; seed++) {
    const found = await playSeed(seed, tally);
    if (found !== undefined) assert.fail(describe(found));
  }
  for (const what of HAPPENS) assert.ok(tally.has(what), `${what} never happened: ${JSON.stringify([...tally])}`);
});
