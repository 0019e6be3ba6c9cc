import { FreshetError } from "../../errors/index.ts";
import type { Attributes, DataType, FillValue, VirtualArray } from "../../virtual/index.ts";
import { attributesToJson, jsonFloat, jsonInteger } from "../json-numbers.ts";

/** What a Zarr v3 array's metadata say. */
export type ArrayDescription = Omit<VirtualArray, "name" | "manifest">;

/**
 * The `zarr.json` of an array (Zarr v3 core specification, "Array metadata"). Attributes are written as xarray wants them in
 * v3; numbers keep their kind.
 * @throws FreshetError `unsupported` for a type without a v3 form that readers share.
 */
export function arrayMetadata(array: ArrayDescription): string {
  return JSON.stringify({
    zarr_format: 3,
    node_type: "array",
    shape: array.shape,
    data_type: dataTypeJson(array.dataType),
    chunk_grid: { name: "regular", configuration: { chunk_shape: array.chunkShape } },
    chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
    fill_value: fillValueJson(array.dataType, array.fillValue),
    codecs: array.codecs,
    dimension_names: array.dimensionNames,
    attributes: attributesToJson(array.attributes, { fillValueEncoding: "xarray-v3", dataType: array.dataType }),
  });
}

/** The `zarr.json` of a group. */
export function groupMetadata(attributes: Attributes): string {
  return JSON.stringify({
    zarr_format: 3,
    node_type: "group",
    attributes: attributesToJson(attributes, { fillValueEncoding: "plain" }),
  });
}

function dataTypeJson(type: DataType): unknown {
  switch (type.kind) {
    case "number":
      return type.name;
    case "string":
      return "string";
    case "fixed-string":
      return { name: "null_terminated_bytes", configuration: { length_bytes: type.length } };
    case "opaque":
    case "struct":
      throw new FreshetError("unsupported", "a type has no form in Zarr v3 that readers share", { found: type.kind });
  }
}

function fillValueJson(type: DataType, fill: FillValue): unknown {
  if (type.kind === "string") return typeof fill === "string" ? fill : "";
  if (type.kind !== "number") return Buffer.from(fill instanceof Uint8Array ? fill : new Uint8Array(0)).toString("base64");
  switch (type.name) {
    case "bool":
      return fill === true;
    case "float16":
    case "float32":
    case "float64":
      return jsonFloat(typeof fill === "number" ? fill : 0);
    case "complex64":
    case "complex128":
      return complexParts(fill).map(jsonFloat);
    default:
      return jsonInteger(typeof fill === "number" || typeof fill === "bigint" ? fill : 0);
  }
}

function complexParts(fill: FillValue): readonly number[] {
  return Array.isArray(fill) ? (fill as readonly number[]) : [0, 0];
}
