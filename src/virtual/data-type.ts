/**
 * The type of one element, in Zarr v3's words where Zarr has one. Byte order is not part of it: that is the `bytes`
 * codec's (or, inside a struct, the field's) business.
 */
export type NumericType =
  | "bool"
  | "int8"
  | "int16"
  | "int32"
  | "int64"
  | "uint8"
  | "uint16"
  | "uint32"
  | "uint64"
  | "float16"
  | "float32"
  | "float64"
  | "complex64"
  | "complex128";

export type Endian = "little" | "big";

export type DataType =
  | { readonly kind: "number"; readonly name: NumericType }
  /** Text of a fixed number of bytes, padded with NUL; netCDF's `char` is one of length 1. */
  | { readonly kind: "fixed-string"; readonly length: number }
  /** Text of any length. Its chunks can only be inlined. */
  | { readonly kind: "string" }
  /** Bytes without meaning to us (HDF5 opaque). */
  | { readonly kind: "opaque"; readonly length: number }
  /** A compound whose stored layout is `size` bytes an element. Fields may leave gaps. */
  | { readonly kind: "struct"; readonly size: number; readonly fields: readonly StructField[] };

export interface StructField {
  readonly name: string;
  readonly offset: number;
  readonly type: DataType;
  readonly endian: Endian;
  /** Dimensions of an array member; empty for a single value. */
  readonly shape: readonly number[];
}

/** A type name as a person writes it: `int16`, `text[12]`, `struct{a,b}`. */
export function describeDataType(type: DataType): string {
  switch (type.kind) {
    case "number":
      return type.name;
    case "fixed-string":
      return `text[${type.length}]`;
    case "string":
      return "string";
    case "opaque":
      return `opaque[${type.length}]`;
    case "struct":
      return `struct{${type.fields.map((field) => field.name).join(",")}}`;
  }
}

const NUMERIC_BYTES: Readonly<Record<NumericType, number>> = {
  bool: 1,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  float16: 2,
  int32: 4,
  uint32: 4,
  float32: 4,
  int64: 8,
  uint64: 8,
  float64: 8,
  complex64: 8,
  complex128: 16,
};

/** Stored bytes of one element. @throws never for `string`: it has no fixed size and answers undefined. */
export function elementSize(type: Exclude<DataType, { kind: "string" }>): number;
export function elementSize(type: DataType): number | undefined;
export function elementSize(type: DataType): number | undefined {
  switch (type.kind) {
    case "number":
      return NUMERIC_BYTES[type.name];
    case "fixed-string":
    case "opaque":
      return type.length;
    case "struct":
      return type.size;
    case "string":
      return undefined;
  }
}

/** The shorthand for `{ kind: "number", name }`. */
export function numeric(name: NumericType): DataType {
  return { kind: "number", name };
}
