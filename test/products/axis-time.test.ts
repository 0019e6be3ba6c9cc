import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeAxis, encodeAxis, type TimeAxis } from "../../src/products/axis-time.ts";
import { readTimeEncoding } from "../../src/products/cf-time.ts";

const axis = (axisType: TimeAxis["axisType"], units: string): TimeAxis => ({ axisType, axisEncoding: readTimeEncoding(units) });
const DAYS = "days since 2013-01-01";
const hour = (count: number): number => Date.UTC(2024, 4, 23) + count * 3_600_000;

describe("times of float32", () => {
  test("days that cannot say hours stand for the hours they were rounded from", () => {
    const days = axis("float32", DAYS);
    for (let count = 0; count < 240; count++) assert.equal(decodeAxis(days, encodeAxis(days, hour(count))), hour(count));
    // As SFBOFS writes 01:00: 14 seconds early.
    assert.equal(decodeAxis(days, Math.fround(4160 + 1 / 24)), hour(1));
  });

  test("what the type says exactly is taken at its word", () => {
    const seconds = axis("float32", "seconds since 2024-05-23");
    for (const value of [0, 59, 3599, 3601, 7200.5]) assert.equal(decodeAxis(seconds, value), hour(0) + value * 1000);
    assert.equal(decodeAxis(axis("float32", "hours since 2024-05-23"), 1.5), hour(1.5));
  });

  test("a neighbouring value of the type is another instant", () => {
    const days = axis("float32", DAYS);
    const late = encodeAxis(days, hour(1) + 60_000);
    assert.notEqual(decodeAxis(days, late), hour(1));
  });

  test("other types are exact, and stay so", () => {
    const days = axis("float64", DAYS);
    assert.equal(decodeAxis(days, 4160 + Math.fround(1 / 24)), hour(1));
    assert.equal(decodeAxis(days, Math.fround(4160 + 1 / 24)), hour(1) - 14_062.5 + 0.5);
    assert.equal(decodeAxis(axis("int64", "seconds since 1970-01-01"), 3_661n), 3_661_000);
  });
});
