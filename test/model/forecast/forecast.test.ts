import assert from "node:assert/strict";
import { test } from "node:test";
import { findDisagreement } from "./property.ts";

/** Two that have all of it: withdrawals, deaths, several runs. */
const STORED_SEEDS = [4, 45];

test("random arrivals of a forecast: every view is the model's after every publication (npm run model -- --forecast: any number)", async () => {
  const tally = new Map<string, number>();
  for (let seed = 1; seed <= 150; seed++) {
    const found = await findDisagreement(seed, tally);
    assert.equal(found, undefined, found);
  }
  for (const what of ["arrive", "withdraw", "publish", "restart", "rebuilt", "rolled back"])
    assert.ok((tally.get(what) ?? 0) >= 10, `${what}: ${tally.get(what)}`);
});

test("the same through a real ledger and store, whose publications die at any step; and as of earlier moments", async () => {
  const tally = new Map<string, number>();
  for (const seed of STORED_SEEDS) {
    const found = await findDisagreement(seed, tally, true);
    assert.equal(found, undefined, found);
  }
  for (const what of ["store: died", "store: withdraw", "store: as of"]) assert.ok((tally.get(what) ?? 0) >= 1, what);
});
