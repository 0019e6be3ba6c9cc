import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { listedPlaces } from "../../src/acquisition/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";

const NOW = Date.UTC(2026, 0, 1, 23, 59);
const places = (below: readonly string[], back = 1, at = "s3://bucket/p/"): string[] =>
  listedPlaces({ name: "agency", at, allow: [], listing: { everyMs: 1, below, back } }, NOW);

describe("the folders that a listing looks at", () => {
  test("are all of it, or those below", () => {
    assert.deepEqual(places([""]), ["s3://bucket/p/"]);
    assert.deepEqual(places(["a", "b/c/", "a/"]), ["s3://bucket/p/a/", "s3://bucket/p/b/c/"]);
    assert.deepEqual(places(["per%cent #1"]), ["s3://bucket/p/per%25cent%20%231/"]);
  });

  test("stand for today and the days before", () => {
    assert.deepEqual(places(["cbofs.{today:%Y%m%d}"]), ["s3://bucket/p/cbofs.20260101/", "s3://bucket/p/cbofs.20251231/"]);
    assert.deepEqual(places(["{today:%Y/%j}/{today:%m-%d}"], 0), ["s3://bucket/p/2026/001/01-01/"]);
    assert.deepEqual(places(["{today:%Y}"], 1, "https://example.org/"), [
      "https://example.org/2026/",
      "https://example.org/2025/",
    ]);
  });

  for (const below of ["{today:%H}", "{today}", "{day:%Y}", "{today:}", "../other", "a/../../b"]) {
    test(`refused: ${below}`, () => {
      assert.throws(
        () => places([below]),
        (error) => isFreshetError(error, "dataset-file") && error.message.includes("sources.agency.listing.below"),
      );
    });
  }
});
