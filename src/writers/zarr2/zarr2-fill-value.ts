import type { AttributeValue, DataType, FillValue } from "../../virtual/index.ts";
import { jsonFloat, jsonInteger } from "../json-numbers.ts";
import type { ArrayFacts } from "./array-facts.ts";

/**
 * `fill_value` of `.zarray`. Zarr v2 has one field for two things: what a missing chunk reads as, and what xarray takes as
 * the mask. Where chunks are missing, it is the storage fill: values come first. Where none is, nobody reads the storage fill,
 * so it is the file's `_FillValue` if it has one of the array's type, and none otherwise: the mask is then the file's own.
 */
export function zarr2FillValue(array: ArrayFacts, hasMissing: boolean): unknown {
  if (hasMissing) return encode(array.fillValue, array.dataType);
  const attribute = array.attributes.get("_FillValue");
  return attribute === undefined ? null : encode(asFillValue(attribute, array.dataType), array.dataType);
}

function encode(fill: FillValue, type: DataType): unknown {
  if (fill === null) return null;
  if (fill instanceof Uint8Array) return Buffer.from(fill).toString("base64");
  if (typeof fill === "string" || typeof fill === "boolean") return fill;
  if (typeof fill === "object") return fill.map(jsonFloat);
  return isFloat(type) ? jsonFloat(Number(fill)) : jsonInteger(fill);
}

/** A `_FillValue` attribute as a value of the array's type; null where no element could be equal to it. */
function asFillValue(attribute: AttributeValue, type: DataType): FillValue {
  if (attribute.type === "text" || attribute.type === "texts") {
    if (type.kind !== "fixed-string") return null;
    const bytes = Buffer.from(String(attribute.value));
    return bytes.length === 0 || bytes.length > type.length
      ? null
      : new Uint8Array(Buffer.alloc(type.length).fill(bytes, 0, bytes.length));
  }
  const value = attribute.value[0];
  if (type.kind !== "number" || attribute.value.length !== 1 || value === undefined) return null;
  if (attribute.type.startsWith("complex") || type.name.startsWith("complex") || type.name === "bool") return null;
  if (isFloat(type)) return Number(value);
  if (typeof value === "number" && !Number.isInteger(value)) return null;
  const range = INTEGER_RANGES[type.name];
  const exact = BigInt(value);
  return range !== undefined && exact >= range[0] && exact <= range[1] ? exact : null;
}

const INTEGER_RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = Object.fromEntries(
  [8n, 16n, 32n, 64n].flatMap((bits) => [
    [`int${bits}`, [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]],
    [`uint${bits}`, [0n, 2n ** bits - 1n]],
  ]),
);

function isFloat(type: DataType): boolean {
  return type.kind === "number" && type.name.startsWith("float");
}
