import type { Endian, NumericType } from "../../virtual/index.ts";
import type { ByteCursor } from "../byte-cursor.ts";
import type { Datatype, EnumType, FloatType, IntegerType } from "./messages/datatype.ts";

/** Reads stored numbers of one type one after the other, from a cursor of the byte order `endian`. */
export type ElementReader =
  | Reader<Exclude<NumericType, "int64" | "uint64">, number>
  | Reader<"int64", bigint>
  | Reader<"uint64", bigint>;

interface Reader<Type extends NumericType, Value> {
  readonly type: Type;
  readonly endian: Endian;
  readonly read: (cursor: ByteCursor) => Value;
}

/**
 * The reader for a datatype that is a number, undefined for any other. A number that no Zarr type has the form of is read as the next larger
 * one that has: an integer in some of the bits of its bytes, a float with other exponents or mantissas.
 */
export function elementReader(datatype: Datatype): ElementReader | undefined {
  switch (datatype.class) {
    case "integer":
      return isWhole(datatype) ? wholeReader(datatype.signed, datatype.size, datatype.endian) : partReader(datatype);
    case "bitfield":
      return wholeReader(false, datatype.size, datatype.endian);
    case "enum": {
      if (isBoolean(datatype)) return { type: "bool", endian: "little", read: (cursor) => cursor.u8() };
      return elementReader(datatype.base);
    }
    case "float":
      return datatype.ieee && datatype.endian !== "vax" ? floatReader(datatype.size, datatype.endian) : oddFloatReader(datatype);
    case "time":
    case "string":
    case "opaque":
    case "compound":
    case "reference":
    case "variable-length":
    case "array":
    case "complex":
      return undefined;
  }
}

/** True for the enumeration that stands for booleans in HDF5: one byte, FALSE is 0, TRUE is 1. */
export function isBoolean(datatype: EnumType): boolean {
  if (datatype.size !== 1 || datatype.names.length !== 2) return false;
  return datatype.values[datatype.names.indexOf("FALSE")] === 0 && datatype.values[datatype.names.indexOf("TRUE")] === 1;
}

/** True for an integer whose bits all carry its value. */
export function isWhole(datatype: IntegerType): boolean {
  return datatype.bitOffset === 0 && datatype.precision === 8 * datatype.size;
}

function wholeReader(signed: boolean, size: number, endian: Endian): ElementReader | undefined {
  switch (size) {
    case 1:
      return signed
        ? { type: "int8", endian, read: (cursor) => cursor.i8() }
        : { type: "uint8", endian, read: (cursor) => cursor.u8() };
    case 2:
      return signed
        ? { type: "int16", endian, read: (cursor) => cursor.i16() }
        : { type: "uint16", endian, read: (cursor) => cursor.u16() };
    case 4:
      return signed
        ? { type: "int32", endian, read: (cursor) => cursor.i32() }
        : { type: "uint32", endian, read: (cursor) => cursor.u32() };
    case 8:
      return signed
        ? { type: "int64", endian, read: (cursor) => cursor.bigI64() }
        : { type: "uint64", endian, read: (cursor) => cursor.bigU64() };
    default:
      return undefined;
  }
}

/** An integer in some of the bits of its bytes, as the next larger whole one. */
function partReader({ size, endian, signed, bitOffset, precision }: IntegerType): ElementReader | undefined {
  if (size > 8 || precision === 0 || bitOffset + precision > 8 * size) return undefined;
  const readBig = (cursor: ByteCursor): bigint => {
    let value = 0n;
    const bytes = cursor.take(size);
    for (let index = 0; index < size; index++) {
      value = (value << 8n) | BigInt(bytes[endian === "little" ? size - 1 - index : index] as number);
    }
    const shifted = value >> BigInt(bitOffset);
    return signed ? BigInt.asIntN(precision, shifted) : BigInt.asUintN(precision, shifted);
  };
  if (size > 4) return signed ? { type: "int64", endian, read: readBig } : { type: "uint64", endian, read: readBig };
  const bits = size === 1 ? 8 : size === 2 ? 16 : 32;
  return { type: `${signed ? "int" : "uint"}${bits}`, endian, read: (cursor) => Number(readBig(cursor)) };
}

function floatReader(size: number, endian: Endian): ElementReader | undefined {
  switch (size) {
    case 2:
      return { type: "float16", endian, read: (cursor) => float16(cursor.u16()) };
    case 4:
      return { type: "float32", endian, read: (cursor) => cursor.f32() };
    case 8:
      return { type: "float64", endian, read: (cursor) => cursor.f64() };
    default:
      return undefined;
  }
}

/** Bits of the mantissa, and largest and smallest exponent of a normal number, of the floats that there are, from the smallest on. */
const FLOATS = [
  { type: "float16", mantissa: 10, largest: 16, smallest: -14 },
  { type: "float32", mantissa: 23, largest: 128, smallest: -126 },
  { type: "float64", mantissa: 52, largest: 1024, smallest: -1022 },
] as const;

/** A float of other proportions as the smallest one that holds all its values. */
function oddFloatReader({ size, endian, bits }: FloatType): ElementReader | undefined {
  const { sign, exponent, mantissa, impliesOne } = bits;
  const highest = Math.max(sign + 1, exponent.at + exponent.size, mantissa.at + mantissa.size);
  if (!impliesOne || size > 8 || highest > 8 * size || exponent.size === 0 || exponent.size > 11) return undefined;
  if (endian === "vax" && size % 2 !== 0) return undefined;
  const fits = FLOATS.find(
    (float) =>
      mantissa.size <= float.mantissa &&
      2 ** exponent.size - exponent.bias - 1 <= float.largest &&
      1 - exponent.bias >= float.smallest,
  );
  if (fits === undefined) return undefined;
  const part = (word: bigint, at: number, length: number): number => Number(BigInt.asUintN(length, word >> BigInt(at)));
  const allOnes = 2 ** exponent.size - 1;
  return {
    type: fits.type,
    endian: endian === "big" ? "big" : "little",
    read: (cursor) => {
      const word = wordOf(cursor.take(size), endian);
      const factor = part(word, sign, 1) === 0 ? 1 : -1;
      const power = part(word, exponent.at, exponent.size);
      const fraction = part(word, mantissa.at, mantissa.size) / 2 ** mantissa.size;
      if (power === allOnes) return fraction === 0 ? factor * Number.POSITIVE_INFINITY : Number.NaN;
      if (power === 0) return factor * fraction * 2 ** (1 - exponent.bias);
      return factor * (1 + fraction) * 2 ** (power - exponent.bias);
    },
  };
}

/** VAX order: the two bytes of each word lowest first, the words highest first. */
function wordOf(bytes: Uint8Array, endian: FloatType["endian"]): bigint {
  let word = 0n;
  for (let index = 0; index < bytes.length; index++) {
    const at = endian === "big" ? index : endian === "little" ? bytes.length - 1 - index : index ^ 1;
    word = (word << 8n) | BigInt(bytes[at] as number);
  }
  return word;
}

function float16(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
