import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isFreshetError } from "../../src/errors/index.ts";
import { gapFill, isSameFill } from "../../src/products/fill.ts";
import {
  type AttributeValue,
  ChunkManifestBuilder,
  type FillValue,
  type NumericType,
  numeric,
  type VirtualArray,
} from "../../src/virtual/index.ts";

function anArray(type: NumericType, fillValue: FillValue, declared?: AttributeValue): VirtualArray {
  return {
    name: "v",
    shape: [1],
    chunkShape: [1],
    dimensionNames: ["time"],
    dataType: numeric(type),
    codecs: [{ name: "bytes", configuration: { endian: "little" } }],
    fillValue,
    attributes: declared === undefined ? new Map() : new Map([["_FillValue", declared]]),
    manifest: new ChunkManifestBuilder([1]).build(),
  };
}

const attribute = (type: NumericType, value: number | bigint): AttributeValue =>
  ({ type, scalar: true, value: [value] }) as AttributeValue;

describe("what a gap reads as", () => {
  test("the declared _FillValue, which every reader masks", () => {
    assert.deepEqual(gapFill(anArray("int16", 0, attribute("int16", -9))), { fill: -9, mark: undefined });
    assert.deepEqual(gapFill(anArray("int64", 0n, attribute("int64", -(2n ** 63n)))), { fill: -(2n ** 63n), mark: undefined });
    assert.deepEqual(gapFill(anArray("float64", 0, attribute("float64", -999.25))), { fill: -999.25, mark: undefined });
  });

  test("NaN for floats that declare none, and for those whose _FillValue no element can be equal to", () => {
    assert.deepEqual(gapFill(anArray("float32", 9.96921e36)), { fill: Number.NaN, mark: undefined });
    assert.deepEqual(gapFill(anArray("float32", 0, attribute("float64", 1e20))), { fill: Number.NaN, mark: undefined });
  });

  test("for integers what the file fills with, and then that value is marked as a fill", () => {
    assert.deepEqual(gapFill(anArray("int32", -2147483647)), { fill: -2147483647, mark: attribute("int32", -2147483647) });
    assert.deepEqual(gapFill(anArray("int64", null)).fill, -9_223_372_036_854_775_806n);
  });

  test("never 0 for integers of two bytes and more: it would mask every zero that was measured", () => {
    for (const [type, fill] of [
      ["int16", -32767],
      ["uint16", 65535],
      ["int32", -2147483647],
    ] as const)
      assert.deepEqual(gapFill(anArray(type, 0)), { fill, mark: attribute(type, fill) });
  });

  test("8-bit integers get no mark: they have no value to spare", () => {
    assert.equal(gapFill(anArray("uint8", 3)).mark, undefined);
    assert.equal(gapFill(anArray("int8", null)).fill, -127);
  });

  test("a _FillValue that is no value of the integer type is refused, not written as something else", () => {
    for (const [type, declared] of [
      ["int16", attribute("float32", -999.5)],
      ["int8", attribute("uint8", 255)],
      ["uint16", attribute("int32", 65536)],
      ["int32", attribute("float64", Number.NaN)],
    ] as const) {
      assert.throws(
        () => gapFill(anArray(type, 0, declared)),
        (error) => isFreshetError(error, "unsupported") && error.message.includes(`a value of ${type}`),
      );
    }
    assert.deepEqual(gapFill(anArray("uint8", 0, attribute("int32", 255))).fill, 255);
  });

  test("fills are compared as they are stored", () => {
    assert.ok(isSameFill(Number.NaN, Number.NaN));
    assert.ok(!isSameFill(0, -0));
    assert.ok(isSameFill(5, 5n));
    assert.ok(!isSameFill(null, 0));
    assert.ok(isSameFill(Uint8Array.of(1), Uint8Array.of(1)));
    assert.ok(isSameFill([1, 2], [1, 2]));
  });
});
