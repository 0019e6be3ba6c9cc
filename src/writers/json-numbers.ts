import type { Attributes, AttributeValue, DataType } from "../virtual/index.ts";

/*
 * JSON has one kind of number; Python's reader has two, and 64-bit integers are exact in it. So a float is always written
 * with a point or an exponent (`1.0`), an integer never, and neither passes through JavaScript's number formatting.
 */
interface RawJson {
  rawJSON(text: string): unknown;
}
// In every JavaScript engine since 2023, but not in TypeScript's library.
const { rawJSON } = JSON as unknown as RawJson;

/**
 * A float for `JSON.stringify`: exactly this double, `-0.0` included. NaN and the infinities, which JSON does not have, are
 * the strings "NaN", "Infinity", "-Infinity" (Zarr v3, "fill value encoding"): valid JSON for every reader.
 */
export function jsonFloat(value: number): unknown {
  if (!Number.isFinite(value)) return String(value);
  if (Object.is(value, -0)) return rawJSON("-0.0");
  const text = String(value);
  return rawJSON(/[.e]/.test(text) ? text : `${text}.0`);
}

/** An integer for `JSON.stringify`, all digits, 64 bits exact. @throws RangeError for a number that is not an integer. */
export function jsonInteger(value: number | bigint): unknown {
  return rawJSON(BigInt(value).toString());
}

/** JSON in which every number keeps the digits that it was written with, for `JSON.stringify` alone. @throws SyntaxError. */
export function parseKeepingNumbers(text: string): unknown {
  type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;
  const keep: Reviver = (_, value, { source }) => (typeof value === "number" && source !== undefined ? rawJSON(source) : value);
  return JSON.parse(text, keep as (key: string, value: unknown) => unknown);
}

export interface AttributeEncoding {
  /**
   * `plain`: `_FillValue` is written like any other attribute.
   * `xarray-v3`: as xarray wants it in Zarr v3 (`FillValueCoder` in its backends/zarr.py): by the type of the *array*, base64
   * of the little-endian float64 for floats (a pair for complex), a plain integer for integers.
   */
  readonly fillValueEncoding: "plain" | "xarray-v3";
  /** The type of the array that the attributes belong to. Without it `_FillValue` is encoded by its own type. */
  readonly dataType?: DataType;
}

/**
 * Attributes as an object for `JSON.stringify`, in the order of the file. One element marked scalar is a bare value, the rest
 * are lists; a complex number is a pair. A `_FillValue` that makes xarray fail on the whole Zarr v3 dataset (on text and opaque
 * arrays it has no way to decode one; on integers, a fraction or text) is left out under `xarray-v3`: no stored element is
 * equal to the latter, and the former stays the array's storage fill.
 */
export function attributesToJson(attributes: Attributes, encoding: AttributeEncoding): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  for (const [name, value] of attributes) {
    const isFill = name === "_FillValue" && encoding.fillValueEncoding === "xarray-v3";
    const encoded = isFill ? xarrayFillValue(value, encoding.dataType) : attributeToJson(value);
    if (encoded === undefined) continue;
    // An attribute may be called `__proto__`.
    Object.defineProperty(json, name, { value: encoded, enumerable: true, configurable: true, writable: true });
  }
  return json;
}

function attributeToJson(attribute: AttributeValue): unknown {
  if (attribute.type === "text" || attribute.type === "texts") return attribute.value;
  const items = numbersToJson(attribute);
  return attribute.scalar && items.length === 1 ? items[0] : items;
}

function numbersToJson(attribute: Exclude<AttributeValue, { type: "text" | "texts" }>): unknown[] {
  const values: readonly (number | bigint)[] = attribute.value;
  switch (attribute.type) {
    case "bool":
      return values.map((value) => Number(value) !== 0);
    case "float16":
    case "float32":
    case "float64":
      return values.map((value) => jsonFloat(Number(value)));
    case "complex64":
    case "complex128": {
      const pairs: unknown[] = [];
      for (let at = 0; at + 1 < values.length; at += 2)
        pairs.push([jsonFloat(Number(values[at])), jsonFloat(Number(values[at + 1]))]);
      return pairs;
    }
    default:
      return values.map(jsonInteger);
  }
}

function xarrayFillValue(attribute: AttributeValue, dataType: DataType | undefined): unknown {
  if (attribute.type === "text" || attribute.type === "texts") {
    if (dataType !== undefined) return dataType.kind === "string" ? attributeToJson(attribute) : undefined;
    return Buffer.from(String(attribute.value)).toString("base64");
  }
  if (dataType !== undefined && dataType.kind !== "number") return undefined;
  const [first, second] = attribute.value;
  if (first === undefined) return undefined;
  const type = dataType?.name ?? attribute.type;
  switch (type) {
    case "bool":
      return Number(first) !== 0;
    case "float16":
    case "float32":
    case "float64":
      return base64Float64(Number(first));
    case "complex64":
    case "complex128":
      return [base64Float64(Number(first)), base64Float64(attribute.type.startsWith("complex") ? Number(second) : 0)];
    default:
      return typeof first === "bigint" || Number.isInteger(first) ? jsonInteger(first) : undefined;
  }
}

function base64Float64(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes.toString("base64");
}
