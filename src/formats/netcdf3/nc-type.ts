import { type DataType, type NumericType, numeric } from "../../virtual/index.ts";
import type { ByteCursor } from "../byte-cursor.ts";

/**
 * The external types of the NetCDF Classic Format Specification ("nc_type"), stored big-endian:
 *
 *     1 NC_BYTE int8     4 NC_INT    int32     7 NC_UBYTE  uint8  (CDF-5)    10 NC_INT64  int64  (CDF-5)
 *     2 NC_CHAR text     5 NC_FLOAT  float32   8 NC_USHORT uint16 (CDF-5)    11 NC_UINT64 uint64 (CDF-5)
 *     3 NC_SHORT int16   6 NC_DOUBLE float64   9 NC_UINT   uint32 (CDF-5)
 */
export type NcType = "char" | Exclude<NumericType, "bool" | "float16" | "complex64" | "complex128">;

const CLASSIC: readonly NcType[] = ["int8", "char", "int16", "int32", "float32", "float64"];
const CDF5: readonly NcType[] = [...CLASSIC, "uint8", "uint16", "uint32", "int64", "uint64"];

/** The type that a code stands for in this version of the format, or undefined. */
export function ncTypeOf(code: number, version: 1 | 2 | 5): NcType | undefined {
  return (version === 5 ? CDF5 : CLASSIC)[code - 1];
}

const BYTES: Readonly<Record<NcType, number>> = {
  char: 1,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  float32: 4,
  int64: 8,
  uint64: 8,
  float64: 8,
};

/** Stored bytes of one value. */
export function ncTypeBytes(type: NcType): number {
  return BYTES[type];
}

/** The type of an array's elements; a char is text of one byte. */
export function dataTypeOf(type: NcType): DataType {
  return type === "char" ? { kind: "fixed-string", length: 1 } : numeric(type);
}

/** The next `count` values: bigint for the 64-bit integers. */
export function readNumbers(cursor: ByteCursor, type: Exclude<NcType, "char">, count: number): number[] | bigint[] {
  const each = <T>(read: () => T): T[] => Array.from({ length: count }, read);
  switch (type) {
    case "int8":
      return each(() => cursor.i8());
    case "uint8":
      return each(() => cursor.u8());
    case "int16":
      return each(() => cursor.i16());
    case "uint16":
      return each(() => cursor.u16());
    case "int32":
      return each(() => cursor.i32());
    case "uint32":
      return each(() => cursor.u32());
    case "float32":
      return each(() => cursor.f32());
    case "float64":
      return each(() => cursor.f64());
    case "int64":
      return each(() => cursor.bigI64());
    case "uint64":
      return each(() => cursor.bigU64());
  }
}
