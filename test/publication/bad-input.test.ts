import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { isFreshetError } from "../../src/errors/index.ts";
import { granuleBytes, type MadeGranule } from "../products/made-granule.ts";
import { nameOf, noon, Workshop } from "./workshop.ts";

let workshop: Workshop;
before(async () => {
  workshop = await Workshop.start({ drift: "{ steps: refuse, place: refuse, default: quarantine }" });
  await workshop.deliver(nameOf(1), bytes(1, {}));
  await workshop.settle();
});
after(() => workshop.stop());

const bytes = (day: number, options: MadeGranule): Uint8Array =>
  granuleBytes({ seconds: [noon(day) / 1000], value: () => day, ...options });

const SECOND = noon(2) / 1000;
const SNOW: NonNullable<MadeGranule["more"]>[number] = {
  name: "snow",
  type: "int16",
  dimensions: [0, 1, 2],
  recordValues: [[1, 2, 3, 4, 5, 6]],
};

/** What is announced for the second day, and by which policy it ends with which words. */
const BAD: Readonly<Record<string, readonly [granule: MadeGranule, policy: "refuse" | "quarantine", words: RegExp]>> = {
  "an axis that overlaps the next granule's": [
    { seconds: [SECOND, SECOND + 86_400] },
    "refuse",
    /inside another granule's steps/,
  ],
  "a coordinate twice": [{ seconds: [SECOND, SECOND] }, "refuse", /does not ascend/],
  "times that descend": [{ seconds: [SECOND, SECOND - 86_400] }, "refuse", /does not ascend/],
  "a time beside the calendar": [{ seconds: [SECOND + 60] }, "refuse", /refused/],
  "other units": [{ sst: { units: ["units", "char", "degC"] } }, "quarantine", /\/sst units: found degC, expected K/],
  "a time in units that are not read": [
    { timeUnits: "fortnights since 1970-01-01" },
    "quarantine",
    /time units are not understood/,
  ],
  "another calendar": [{ calendar: "noleap" }, "refuse", /calendar/],
  "NaN among the coordinates": [{ latitudes: [Number.NaN, 20] }, "quarantine", /\/lat values: found/],
  "coordinates that are missing": [{ without: ["lat"] }, "quarantine", /\/lat variable: found absent, expected present/],
  "a time axis that is missing": [{ without: ["time"] }, "quarantine", /no time coordinate/],
  "another grid": [{ latitudes: [10, 20, 30] }, "quarantine", /shape: found/],
  "a file of another dataset": [{ without: ["sst"], more: [SNOW] }, "quarantine", /\/sst variable: found absent.*\/snow/],
  "another packing": [{ sst: { scale_factor: ["scale_factor", "float32", [0.1]] } }, "quarantine", /scale_factor/],
};

describe("bad input for a published product", () => {
  for (const [what, [granule, policy, words]] of Object.entries(BAD)) {
    test(`${what}: ${policy}, with the reason, and readers see nothing of it`, async () => {
      const uri = await workshop.put(nameOf(2), bytes(2, granule));
      if (policy === "refuse") {
        const { dataset, key, identity } = await workshop.take(uri);
        const revision = await workshop.ledger.revision({ dataset, key, identity });
        assert.equal(revision?.state, "skipped");
        assert.match(revision?.reason ?? "", words);
      } else {
        await assert.rejects(
          workshop.take(uri),
          (error) => isFreshetError(error, "drift", "unsupported") && words.test(error.message),
        );
      }
      await workshop.settle();
      assert.deepEqual(await workshop.steps(), [1]);
    });
  }
});
