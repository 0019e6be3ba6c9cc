import { FreshetError } from "../../errors/index.ts";
import { type DataType, type Endian, elementSize, type NumericType, type StructField } from "../../virtual/index.ts";

const NUMERIC: Readonly<Record<NumericType, string>> = {
  bool: "b1",
  int8: "i1",
  int16: "i2",
  int32: "i4",
  int64: "i8",
  uint8: "u1",
  uint16: "u2",
  uint32: "u4",
  uint64: "u8",
  float16: "f2",
  float32: "f4",
  float64: "f8",
  complex64: "c8",
  complex128: "c16",
};

/** A numpy type string, or for a struct the list of [name, type, shape?] (Zarr v2 specification, "Data type encoding"). */
export type Zarr2DataType = string | readonly (readonly unknown[])[];

/**
 * The type as Zarr v2 writes it. Gaps between the fields of a struct become fields `_pad…` of raw bytes.
 * @throws FreshetError `unsupported` for a struct that Zarr v2 cannot lay out: overlapping fields, strings of any length.
 */
export function zarr2DataType(type: DataType, endian: Endian): Zarr2DataType {
  switch (type.kind) {
    case "number": {
      const name = NUMERIC[type.name];
      return `${name.endsWith("1") && name.length === 2 ? "|" : endian === "little" ? "<" : ">"}${name}`;
    }
    case "fixed-string":
      return `|S${type.length}`;
    case "opaque":
      return `|V${type.length}`;
    case "string":
      return "|O";
    case "struct":
      return structFields(type.fields, type.size);
  }
}

function structFields(fields: readonly StructField[], size: number): readonly (readonly unknown[])[] {
  const laidOut: unknown[][] = [];
  let at = 0;
  const pad = (to: number): void => {
    if (to > at) laidOut.push([`_pad${at}`, `|V${to - at}`]);
  };
  for (const field of [...fields].sort((a, b) => a.offset - b.offset)) {
    const bytes = elementSize(field.type);
    if (bytes === undefined || field.offset < at)
      throw new FreshetError("unsupported", `Zarr v2 cannot hold field ${JSON.stringify(field.name)} of the struct`, {
        found: bytes === undefined ? "text of any length" : "fields that overlap",
      });
    pad(field.offset);
    const shape = field.shape.length === 0 ? [] : [field.shape];
    laidOut.push([field.name, zarr2DataType(field.type, field.endian), ...shape]);
    at = field.offset + bytes * field.shape.reduce((product, length) => product * length, 1);
  }
  pad(size);
  return laidOut;
}
