import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDuration } from "../../src/dataset/duration.ts";

test("durations are whole numbers with a unit", () => {
  const good = { "500ms": 500, "30s": 30_000, "15m": 900_000, "6h": 21_600_000, "10d": 864_000_000, "0s": 0 };
  for (const [text, ms] of Object.entries(good)) assert.equal(parseDuration(text), ms, text);
  for (const text of ["", "30", "s", "1.5h", "-1s", "1h30m", "1 h", "1w", "1H", "9999999999s"])
    assert.equal(parseDuration(text), undefined, text);
});
