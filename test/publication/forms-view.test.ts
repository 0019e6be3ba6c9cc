import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { granuleBytes } from "../products/made-granule.ts";
import { compareInPython, missingPython } from "../support/python.ts";
import { filesOf, pointed, publishForms } from "./form-shop.ts";
import { datasetIn, Workshop } from "./workshop.ts";

const JUNE = Date.UTC(2017, 5, 1);
const DAY_S = 86_400;
const RUNS = `{ every: 1d, leads: 0d..2d/1d }`;
const products = (view: string): string =>
  `[ { forecast: { views: [best, run, { offset: 1d }], store: store, also: [
    { kerchunk-json: { to: forms/json, every: 0s, view: ${view} } },
    { kerchunk-parquet: { to: forms/parquet, every: 0s, records: 100, view: ${view} } } ] } } ]`;

describe("a form of one view of a forecast", { skip: missingPython() }, () => {
  let workshop: Workshop;
  after(() => workshop?.stop());

  test("is an ordinary dataset at its root, version after version", async () => {
    workshop = await Workshop.start({ match: "{run:%Y%m%d}f{lead:1d}.nc", runs: RUNS, products: products("best") });
    const files = new Map<number, string>();
    const deliver = async (run: number, lead: number): Promise<void> => {
      const name = `2017060${run + 1}f${lead}.nc`;
      const seconds = [JUNE / 1000 + (run + lead) * DAY_S];
      await workshop.deliver(name, granuleBytes({ seconds, value: () => 10 * run + lead }));
      files.set(run + lead, join(workshop.folder, "in", name));
    };
    for (const lead of [0, 1, 2]) await deliver(0, lead);
    await workshop.settle();
    await publishForms(workshop);
    for (const lead of [0, 1, 2]) await deliver(1, lead);
    await workshop.settle();
    await publishForms(workshop);
    for (const form of ["json", "parquet"]) {
      const { place, sequence } = await pointed(workshop, form);
      assert.equal(sequence, 2);
      const { wrong, gaps, sizes } = await compareInPython(place, "references", files);
      assert.deepEqual([wrong, gaps, sizes.time], [[], [], 4], form);
    }
    const { refs } = JSON.parse(await readFile((await pointed(workshop, "json")).place, "utf8"));
    assert.deepEqual(
      Object.keys(refs).filter((key) => key.includes("best") || key.startsWith("run/2") || key.startsWith("offset")),
      [],
    );
    const { place } = await pointed(workshop, "parquet");
    assert.ok((await filesOf(workshop, "parquet")).includes(`${place.slice(place.lastIndexOf("/") + 1)}/run/refs.0.parq`));
  });

  test("names a view that the product has, and that is one dataset", () => {
    for (const view of ["latest", "run", "offset/2d"]) {
      const also = { match: "{run:%Y%m%d}f{lead:1d}.nc", runs: RUNS, products: products(view) };
      assert.throws(
        () => datasetIn("/nowhere", also),
        /kerchunk-json\.view: found .*, allowed a view of the product: best, offset\/LEAD/,
      );
    }
    datasetIn("/nowhere", { match: "{run:%Y%m%d}f{lead:1d}.nc", runs: RUNS, products: products("offset/24h") });
  });
});
