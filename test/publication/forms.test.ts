import assert from "node:assert/strict";
import { test } from "node:test";
import { Forms } from "../../src/publication/index.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { nameOf, noon, Workshop } from "./workshop.ts";

test("x", async () => {
  const ALSO = `[ { timeseries: { calendar: { every: 1d, at: "12:00Z" }, store: store, split: 50, also: [
    { kerchunk-json: { to: forms/json, every: 0s } },
    { kerchunk-json: { to: forms/zst, every: 0s, compress: zstd } },
    { kerchunk-parquet: { to: forms/parquet, every: 0s, records: 100 } },
    { references: { to: forms/each, each: "{valid:%Y}/{file}.json", every: 0s } } ] } } ]`;
  const workshop = await Workshop.start({ products: ALSO });
  const forms = new Forms({ ledger: workshop.ledger, scans: workshop.scans, now: Date.now });
  const bytes = (day: number, value: number) => granuleBytes({ seconds: [noon(day) / 1000], value: () => value });
  for (const day of [1, 3]) await workshop.deliver(nameOf(day), bytes(day, day * 10));
  await workshop.settle();
  console.log(await forms.publish(workshop.dataset, () => undefined, new AbortController().signal));
  await workshop.deliver(nameOf(2), bytes(2, 20));
  await workshop.deliver(nameOf(1, ""), bytes(1, 11));
  await workshop.settle();
  console.log(await forms.publish(workshop.dataset, () => undefined, new AbortController().signal));
  console.log(workshop.folder);
  assert.ok(true);
});
