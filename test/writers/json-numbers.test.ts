import assert from "node:assert/strict";
import { test } from "node:test";
import { type AttributeValue, numeric, textAttribute } from "../../src/virtual/index.ts";
import { attributesToJson, jsonFloat, jsonInteger } from "../../src/writers/json-numbers.ts";

const text = (value: unknown): string => JSON.stringify(value);

test("a float always has a point or an exponent, and every bit of the double", () => {
  const cases: [number, string][] = [
    [1, "1.0"],
    [-3, "-3.0"],
    [0.1, "0.1"],
    [-0, "-0.0"],
    [0, "0.0"],
    [1e21, "1e+21"],
    [5e-324, "5e-324"],
    [2 ** 53, "9007199254740992.0"],
    [0.009999999776482582, "0.009999999776482582"],
    [Number.NaN, '"NaN"'],
    [Number.POSITIVE_INFINITY, '"Infinity"'],
    [Number.NEGATIVE_INFINITY, '"-Infinity"'],
  ];
  for (const [value, expected] of cases) assert.equal(text(jsonFloat(value)), expected);
});

test("an integer has all its digits and no point", () => {
  assert.equal(text(jsonInteger(-(2n ** 63n))), "-9223372036854775808");
  assert.equal(text(jsonInteger(2n ** 64n - 1n)), "18446744073709551615");
  assert.equal(text(jsonInteger(1e21)), "1000000000000000000000");
  assert.equal(text(jsonInteger(-0)), "0");
  assert.throws(() => jsonInteger(0.5), RangeError);
});

test("attributes keep their type, their order and the difference between one value and a list of one", () => {
  const attributes = new Map<string, AttributeValue>([
    ["title", textAttribute("Überblick")],
    ["scale_factor", { type: "float32", scalar: true, value: [1] }],
    ["flag_values", { type: "int8", scalar: false, value: [1, 2] }],
    ["one", { type: "int32", scalar: false, value: [7] }],
    ["big", { type: "uint64", scalar: true, value: [2n ** 64n - 1n] }],
    ["ok", { type: "bool", scalar: true, value: [1] }],
    ["z", { type: "complex64", scalar: true, value: [1, -2] }],
    ["names", { type: "texts", value: ["a", "b"] }],
    ["__proto__", { type: "int16", scalar: true, value: [3] }],
  ]);
  assert.equal(
    text(attributesToJson(attributes, { fillValueEncoding: "plain" })),
    '{"title":"Überblick","scale_factor":1.0,"flag_values":[1,2],"one":[7],"big":18446744073709551615,' +
      '"ok":true,"z":[1.0,-2.0],"names":["a","b"],"__proto__":3}',
  );
});

test("_FillValue in Zarr v3 is what xarray decodes, by the type of the array", () => {
  const encode = (value: AttributeValue, type?: Parameters<typeof numeric>[0]) =>
    attributesToJson(new Map([["_FillValue", value]]), {
      fillValueEncoding: "xarray-v3",
      ...(type === undefined ? {} : { dataType: numeric(type) }),
    });
  const float: AttributeValue = { type: "float32", scalar: true, value: [-999] };
  assert.deepEqual(encode(float), { _FillValue: "AAAAAAA4j8A=" });
  assert.deepEqual(encode(float, "float64"), { _FillValue: "AAAAAAA4j8A=" });
  assert.equal(text(encode(float, "int16")), '{"_FillValue":-999}');
  assert.equal(text(encode({ type: "int64", scalar: true, value: [-(2n ** 63n)] })), '{"_FillValue":-9223372036854775808}');
  assert.deepEqual(encode({ type: "int16", scalar: true, value: [-999] }, "float32"), { _FillValue: "AAAAAAA4j8A=" });
  assert.deepEqual(encode({ type: "float64", scalar: true, value: [Number.NaN] }, "int16"), {});
  assert.deepEqual(encode(textAttribute("x"), "int16"), {});
  assert.deepEqual(encode(textAttribute("x")), { _FillValue: "eA==" });
  const onText = { fillValueEncoding: "xarray-v3", dataType: { kind: "fixed-string", length: 1 } } as const;
  assert.deepEqual(attributesToJson(new Map([["_FillValue", textAttribute("x")]]), onText), {});
});
