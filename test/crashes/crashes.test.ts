import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { missingTemporal } from "../support/temporal-server.ts";
import { announcedTwice } from "./announced-twice.ts";
import { FEW_DEATHS } from "./misfortunes.ts";
import { storyWith } from "./trials.ts";

// `npm run crashes` has every step, sleepers, two workers, and servers that die.
suite("a worker that dies", { skip: missingTemporal(), timeout: 600_000 }, () => {
  test("leaves what its successor brings to the same end as if nothing had happened", async (context) => {
    const { hits, summary } = await storyWith(FEW_DEATHS);
    for (const { step, mishap, act } of hits) context.diagnostic(`${step}: ${mishap} (${act})`);
    context.diagnostic(summary);
    assert.equal(hits.length, Object.values(FEW_DEATHS).flat().length);
  });

  test("between an announcement and its acknowledgement is told again, and it is one revision", async () => {
    await announcedTwice();
  });
});
