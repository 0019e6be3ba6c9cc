import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { isFreshetError } from "../../src/errors/index.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { Workshop } from "./workshop.ts";

const DAY = 86_400;
const JUNE = Date.UTC(2017, 5, 1) / 1000;

let workshop: Workshop;
afterEach(() => workshop?.stop());

const start = async (forecast: string): Promise<void> => {
  workshop = await Workshop.start({
    match: "{run:%Y%m%d}f{lead:1d}.nc",
    runs: "{ every: 1d, leads: 1d..3d/1d }",
    products: `[ { forecast: { ${forecast}, store: "store" } } ]`,
  });
};

/** Accumulated over so many days before its valid time. */
function deliver(run: number, lead: number, days: number) {
  const valid = JUNE + (run + lead) * DAY;
  const bounds = [valid - days * DAY, valid];
  const bytes = granuleBytes({
    seconds: [valid],
    value: () => 10 * run + lead,
    timeAttributes: [["bounds", "char", "time_bnds"]],
    more: [{ name: "time_bnds", type: "int32", dimensions: [0, 3], attributes: [], recordValues: [bounds] }],
  });
  return workshop.deliver(`2017060${1 + run}f${lead}.nc`, bytes);
}

describe("fields that are keyed by their interval", () => {
  test("are one series where each has the same, whatever its lead", async () => {
    await start("views: [best, fmrc]");
    for (const lead of [1, 2, 3]) await deliver(0, lead, 1);
    await deliver(1, 1, 1);
    await workshop.settle();
    assert.deepEqual([...new Set(await workshop.read("best/sst"))], [1, 11, 3]);
    const bounds = [1, 2, 3].flatMap((day) => [JUNE + (day - 1) * DAY, JUNE + day * DAY]);
    assert.deepEqual(await workshop.read("best/time_bnds"), bounds);
  });

  test("are drift in best where they count from the beginning of the run, and not by run and lead", async () => {
    await start("views: [best, fmrc]");
    await deliver(0, 1, 1);
    await assert.rejects(
      deliver(0, 2, 2),
      (error) =>
        isFreshetError(error, "drift") &&
        /interval around the valid time: found -48h\.\.0h, expected -24h\.\.0h/.test(error.message),
    );
    await workshop.stop();
    await start("views: [fmrc, latest]");
    for (const lead of [1, 2]) await deliver(0, lead, lead);
    assert.equal((await workshop.settle()).length, 1);
    await workshop.stop();
    await start("views: [best], intervals: mixed");
    for (const lead of [1, 2]) await deliver(0, lead, lead);
    await workshop.settle();
    assert.deepEqual(await workshop.read("best/time_bnds"), [JUNE, JUNE + DAY, JUNE, JUNE + 2 * DAY]);
  });
});
