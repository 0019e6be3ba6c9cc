import type { Codec } from "../../codecs/index.ts";
import { type Attributes, type AttributeValue, type DataType, type FillValue, numeric } from "../../virtual/index.ts";
import { attributesToJson, parseKeepingNumbers } from "../json-numbers.ts";
import type { ArrayFacts } from "./array-facts.ts";

interface ArrayJson {
  readonly shape: readonly number[];
  readonly data_type: string | { readonly configuration: { readonly length_bytes: number } };
  readonly chunk_grid: { readonly configuration: { readonly chunk_shape: readonly number[] } };
  readonly fill_value: unknown;
  readonly codecs: readonly Codec[];
  readonly dimension_names: readonly (string | null)[];
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface Zarr3Array {
  /** Of the attributes `_FillValue` alone, which Zarr v2 needs twice. */
  readonly facts: ArrayFacts;
  /** All of them for `JSON.stringify`, digits kept, `_FillValue` plain. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Reads the `zarr.json` of an array as `arrayMetadata` writes it. */
export function readZarr3Array(text: string): Zarr3Array {
  const json = JSON.parse(text) as ArrayJson;
  const exact = parseKeepingNumbers(text) as ArrayJson;
  const { data_type: type } = json;
  const dataType: DataType =
    typeof type === "object"
      ? { kind: "fixed-string", length: type.configuration.length_bytes }
      : type === "string"
        ? { kind: "string" }
        : numeric(type as Parameters<typeof numeric>[0]);
  const marked = json.attributes._FillValue;
  const attributes: Attributes =
    marked === undefined ? new Map() : new Map([["_FillValue", fillAttribute(dataType, marked, exact.attributes._FillValue)]]);
  return {
    facts: {
      shape: json.shape,
      chunkShape: json.chunk_grid.configuration.chunk_shape,
      dimensionNames: json.dimension_names,
      dataType,
      codecs: json.codecs,
      fillValue: fillOf(dataType, json.fill_value, exact.fill_value),
      attributes,
    },
    attributes: { ...exact.attributes, ...attributesToJson(attributes, { fillValueEncoding: "plain" }) },
  };
}

/** The attributes of a group's `zarr.json` for `JSON.stringify`, digits kept. */
export function readZarr3GroupAttributes(text: string): Readonly<Record<string, unknown>> {
  return (parseKeepingNumbers(text) as ArrayJson).attributes;
}

function fillOf(type: DataType, fill: unknown, exact: unknown): FillValue {
  if (type.kind === "string") return fill as string;
  if (type.kind !== "number") return new Uint8Array(Buffer.from(fill as string, "base64"));
  if (type.name === "bool") return fill as boolean;
  if (type.name.startsWith("complex")) return (fill as unknown[]).map(Number) as [number, number];
  return type.name.startsWith("float") ? Number(fill) : exactInteger(exact);
}

/** `_FillValue` as xarray has it in Zarr v3: see `AttributeEncoding`. */
function fillAttribute(type: DataType, value: unknown, exact: unknown): AttributeValue {
  if (type.kind !== "number") return { type: "text", value: String(value) };
  const { name } = type;
  const scalar = true;
  if (name === "bool") return { type: name, scalar, value: [value === true ? 1 : 0] };
  if (name.startsWith("complex")) return { type: name, scalar, value: (value as string[]).map(float64Of) };
  if (name.startsWith("float")) return { type: name, scalar, value: [float64Of(value as string)] };
  return { type: name, scalar, value: [exactInteger(exact)] };
}

function float64Of(base64: string): number {
  return Buffer.from(base64, "base64").readDoubleLE();
}

/** An integer whose digits were kept. */
function exactInteger(raw: unknown): bigint {
  return BigInt(JSON.stringify(raw));
}
