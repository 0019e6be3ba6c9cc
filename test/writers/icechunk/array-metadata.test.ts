import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isFreshetError } from "../../../src/errors/index.ts";
import type { AttributeValue, DataType, FillValue } from "../../../src/virtual/index.ts";
import { arrayMetadata } from "../../../src/writers/icechunk/index.ts";

function metadata(
  dataType: DataType,
  fillValue: FillValue,
  attributes: readonly (readonly [string, AttributeValue])[] = [],
): string {
  return arrayMetadata({
    shape: [3, 4],
    chunkShape: [1, 4],
    dimensionNames: ["time", null],
    dataType,
    codecs: [{ name: "bytes", configuration: { endian: "little" } }],
    fillValue,
    attributes: new Map(attributes),
  });
}

const number = (name: "int8" | "int64" | "uint64" | "float32" | "float64" | "bool" | "complex64"): DataType => ({
  kind: "number",
  name,
});
const fillText = (text: string): string => /"fill_value":(.*?),"codecs"/.exec(text)?.[1] ?? "";

describe("the zarr.json of an array", () => {
  test("shape, chunks, codecs and dimension names stand as Zarr v3 wants them", () => {
    assert.deepEqual(JSON.parse(metadata(number("int8"), 5)), {
      zarr_format: 3,
      node_type: "array",
      shape: [3, 4],
      data_type: "int8",
      chunk_grid: { name: "regular", configuration: { chunk_shape: [1, 4] } },
      chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
      fill_value: 5,
      codecs: [{ name: "bytes", configuration: { endian: "little" } }],
      dimension_names: ["time", null],
      attributes: {},
    });
  });

  for (const [what, type, fill, text] of [
    ["the smallest 64-bit integer keeps all its digits", number("int64"), -(2n ** 63n), "-9223372036854775808"],
    ["netCDF's 64-bit fill keeps all its digits", number("uint64"), 2n ** 64n - 2n, "18446744073709551614"],
    ["NaN is the text that every reader knows", number("float32"), Number.NaN, '"NaN"'],
    ["so are the infinities", number("float64"), Number.NEGATIVE_INFINITY, '"-Infinity"'],
    ["minus zero keeps its sign", number("float64"), -0, "-0.0"],
    ["a whole float stays a float", number("float64"), 5, "5.0"],
    ["a float32 keeps the double that it is", number("float32"), Math.fround(0.1), "0.10000000149011612"],
    ["a bool is one", number("bool"), true, "true"],
    ["a complex number is a pair", number("complex64"), [1, Number.NaN], '[1.0,"NaN"]'],
    ["none is Zarr's zero", number("int64"), null, "0"],
    ["none of a float is its zero", number("float32"), null, "0.0"],
  ] as const) {
    test(`fill: ${what}`, () => assert.equal(fillText(metadata(type, fill)), text));
  }

  test("_FillValue is what xarray decodes: base64 of the double for floats, plain for integers", () => {
    const nan: AttributeValue = { type: "float32", scalar: true, value: [Number.NaN] };
    const parsed = JSON.parse(metadata(number("float32"), 0, [["_FillValue", nan]]));
    assert.ok(Number.isNaN(Buffer.from(parsed.attributes._FillValue, "base64").readDoubleLE(0)));
    const whole: AttributeValue = { type: "float64", scalar: true, value: [-999] };
    assert.equal(
      Buffer.from(
        JSON.parse(metadata(number("float64"), 0, [["_FillValue", whole]])).attributes._FillValue,
        "base64",
      ).readDoubleLE(0),
      -999,
    );
    const big: AttributeValue = { type: "int64", scalar: true, value: [-(2n ** 63n)] };
    assert.match(metadata(number("int64"), 0n, [["_FillValue", big]]), /"_FillValue":-9223372036854775808/);
  });

  test("text of a fixed length keeps its fill as base64; types without a shared form are refused by name", () => {
    const text = metadata({ kind: "fixed-string", length: 2 }, Uint8Array.of(0x41, 0));
    assert.equal(fillText(text), '"QQA="');
    for (const type of [
      { kind: "opaque", length: 2 },
      { kind: "struct", size: 2, fields: [] },
    ] as const)
      assert.throws(
        () => metadata(type, null),
        (error) => isFreshetError(error, "unsupported") && error.message.includes(type.kind),
      );
  });
});
