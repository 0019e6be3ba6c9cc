import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { firstReadOf, learnFirstRead, readingPlanOf } from "../../src/storage/index.ts";

const KIB = 1024;

describe("the first read of a source", () => {
  test("is 256 KiB while nothing is known of its kind", () => {
    assert.equal(firstReadOf("https://unknown.example/a.nc"), 256 * KIB);
  });

  test("is the longest beginning of which two thirds were needed the last time, whatever the numbers in the name", () => {
    learnFirstRead("https://h.example/2026/01/01/f001.nc?sig=1", [
      { offset: 0, length: 32 * KIB },
      { offset: 48 * KIB, length: 16 * KIB },
      { offset: 1024 * KIB, length: 16 * KIB },
    ]);
    assert.equal(firstReadOf("https://h.example/2027/12/31/f120.nc?sig=2"), 64 * KIB);
    assert.equal(firstReadOf("https://h.example/2027/12/31/other120.nc"), 256 * KIB);
    assert.equal(readingPlanOf("https://h.example/2027/12/31/f120.nc").firstBytes, 64 * KIB);
    assert.equal(readingPlanOf("file:///2027/12/31/f120.nc").firstBytes, 256 * KIB);
  });

  test("stays within its bounds", () => {
    learnFirstRead("https://least.example/1", []);
    assert.equal(firstReadOf("https://least.example/2"), 16 * KIB);
    learnFirstRead("https://most.example/1", [
      { offset: 0, length: 3 * 1024 * KIB },
      { offset: 3 * 1024 * KIB, length: 64 * 1024 * KIB },
    ]);
    assert.equal(firstReadOf("https://most.example/2"), 3 * 1024 * KIB);
  });

  test("is forgotten where a thousand other kinds came since", () => {
    learnFirstRead("https://old.example/", [{ offset: 0, length: 100 * KIB }]);
    assert.equal(firstReadOf("https://old.example/"), 100 * KIB);
    for (let kind = 0; kind < 1000; kind++) learnFirstRead(`https://${"x".repeat(kind + 1)}.example/`, []);
    assert.equal(firstReadOf("https://old.example/"), 256 * KIB);
  });
});
