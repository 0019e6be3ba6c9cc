import type { Endian } from "../../../virtual/index.ts";
import type { ByteCursor } from "../../byte-cursor.ts";
import { unknownVersion } from "../hdf5-file.ts";
import { MAX_DATATYPE_DEPTH, MAX_RANK } from "../limits.ts";
import { decodeText, type StringPadding } from "../text.ts";

/**
 * Datatype message, type 0x03 (HDF5 File Format Specification, IV.A.2.d).
 *
 *   class (bits 0-3), version (bits 4-7)   1
 *   class bit field                        3
 *   size of an element                     4
 *   properties, by class:
 *     0 fixed point    bit offset 2, precision 2
 *     1 float          bit offset 2, precision 2, exponent location 1 and size 1, mantissa location 1 and size 1, bias 4
 *     2 time           precision 2
 *     3 string         nothing
 *     4 bit field      bit offset 2, precision 2
 *     5 opaque         tag (length in the bit field)
 *     6 compound       members: name, offset, (version 1: array dimensions), type
 *     7 reference      nothing
 *     8 enumeration    base type, names, values
 *     9 variable length   base type
 *    10 array          rank 1, (version 2: reserved 3), sizes 4 each, (version 2: permutation 4 each), base type
 *    11 complex        base type
 */
export type Datatype =
  | IntegerType
  | FloatType
  | { readonly class: "bitfield"; readonly size: number; readonly endian: Endian }
  | { readonly class: "time"; readonly size: number }
  | { readonly class: "string"; readonly size: number; readonly padding: StringPadding }
  | { readonly class: "opaque"; readonly size: number; readonly tag: string }
  | CompoundType
  | { readonly class: "reference"; readonly size: number; readonly target: "object" | "region" | "other" }
  | EnumType
  | VariableLengthType
  | { readonly class: "array"; readonly size: number; readonly shape: readonly number[]; readonly base: Datatype }
  | { readonly class: "complex"; readonly size: number; readonly base: Datatype };

export interface IntegerType {
  readonly class: "integer";
  readonly size: number;
  readonly endian: Endian;
  readonly signed: boolean;
  /** The bits that carry the value: `precision` of them from `bitOffset` on. */
  readonly bitOffset: number;
  readonly precision: number;
}

export interface FloatType {
  readonly class: "float";
  readonly size: number;
  readonly endian: Endian | "vax";
  /** True for IEEE 754 binary16, binary32 and binary64. */
  readonly ieee: boolean;
  readonly bits: FloatBits;
}

/** Where the parts of a float stand, in bits from the lowest one on; sizes in bits. */
export interface FloatBits {
  readonly sign: number;
  readonly exponent: { readonly at: number; readonly size: number; readonly bias: number };
  readonly mantissa: { readonly at: number; readonly size: number };
  /** The highest bit of the mantissa is not stored: it is 1, except for the smallest numbers. */
  readonly impliesOne: boolean;
}

export interface CompoundType {
  readonly class: "compound";
  readonly size: number;
  readonly members: readonly { readonly name: string; readonly offset: number; readonly type: Datatype }[];
}

export interface EnumType {
  readonly class: "enum";
  readonly size: number;
  readonly base: Datatype;
  readonly names: readonly string[];
  /** The values behind each other, each of the base type. */
  readonly values: Uint8Array;
}

export interface VariableLengthType {
  readonly class: "variable-length";
  readonly size: number;
  /** Text, or a sequence of the base type. */
  readonly text: boolean;
  readonly base: Datatype;
}

/** Reads a datatype from where the cursor stands; leaves it behind the last property. */
export function readDatatype(cursor: ByteCursor, depth = 0): Datatype {
  if (depth > MAX_DATATYPE_DEPTH) throw cursor.malformed("datatypes are nested too deep", `more than ${MAX_DATATYPE_DEPTH}`);
  const head = cursor.u8();
  const version = head >> 4;
  if (version < 1 || version > 5) throw unknownVersion(cursor, "datatype", version, "1 to 5");
  const bits = cursor.u8() | (cursor.u8() << 8) | (cursor.u8() << 16);
  const size = cursor.u32();
  if (size === 0) throw cursor.malformed("a datatype has no size", "0 bytes", "at least 1");
  switch (head & 0x0f) {
    case 0:
      return readInteger(cursor, bits, size);
    case 1:
      return readFloat(cursor, version, bits, size);
    case 2:
      cursor.skip(2);
      return { class: "time", size };
    case 3:
      return { class: "string", size, padding: readPadding(cursor, bits & 0x0f) };
    case 4:
      cursor.skip(4);
      return { class: "bitfield", size, endian: endianOf(bits) };
    case 5:
      return { class: "opaque", size, tag: readTag(cursor, bits & 0xff) };
    case 6:
      return readCompound(cursor, version, bits & 0xffff, size, depth);
    case 7:
      return { class: "reference", size, target: (bits & 0x0f) === 0 ? "object" : (bits & 0x0f) === 1 ? "region" : "other" };
    case 8:
      return readEnum(cursor, version, bits & 0xffff, size, depth);
    case 9:
      return { class: "variable-length", size, text: (bits & 0x0f) === 1, base: readDatatype(cursor, depth + 1) };
    case 10:
      return readArray(cursor, version, size, depth);
    case 11:
      return { class: "complex", size, base: readDatatype(cursor, depth + 1) };
    default:
      throw cursor.unsupported("the class of a datatype is unknown", `${head & 0x0f}`, "0 to 11");
  }
}

function readInteger(cursor: ByteCursor, bits: number, size: number): Datatype {
  const bitOffset = cursor.u16();
  const precision = cursor.u16();
  return { class: "integer", size, endian: endianOf(bits), signed: (bits & 0x08) !== 0, bitOffset, precision };
}

function readFloat(cursor: ByteCursor, version: number, bits: number, size: number): Datatype {
  const found = [cursor.u16(), cursor.u16(), cursor.u8(), cursor.u8(), cursor.u8(), cursor.u8(), cursor.u32()] as const;
  const [, , exponentAt, exponentSize, mantissaAt, mantissaSize, bias] = found;
  const normalisation = (bits >> 4) & 0x03;
  const signAt = (bits >> 8) & 0xff;
  const expected = IEEE_FIELDS.get(size);
  const ieee = normalisation === 2 && signAt === 8 * size - 1 && (expected?.every((field, at) => field === found[at]) ?? false);
  const parts: FloatBits = {
    sign: signAt,
    exponent: { at: exponentAt, size: exponentSize, bias },
    mantissa: { at: mantissaAt, size: mantissaSize },
    impliesOne: normalisation === 2,
  };
  return { class: "float", size, endian: floatEndian(cursor, version, bits), ieee, bits: parts };
}

/** Bit 6 beside bit 0 says VAX from version 3 on; before, it says nothing. */
function floatEndian(cursor: ByteCursor, version: number, bits: number): FloatType["endian"] {
  if (version < 3 || (bits & 0x40) === 0) return endianOf(bits);
  if ((bits & 0x01) === 0) throw cursor.malformed("the byte order of a float is impossible", "bit 6 alone");
  return "vax";
}

/** Bit offset, precision, exponent location and size, mantissa location and size, bias. */
const IEEE_FIELDS: ReadonlyMap<number, readonly number[]> = new Map([
  [2, [0, 16, 10, 5, 0, 10, 15]],
  [4, [0, 32, 23, 8, 0, 23, 127]],
  [8, [0, 64, 52, 11, 0, 52, 1023]],
]);

function readPadding(cursor: ByteCursor, padding: number): StringPadding {
  switch (padding) {
    case 0:
      return "nul-terminated";
    case 1:
      return "nul-padded";
    case 2:
      return "space-padded";
    default:
      throw cursor.unsupported("the padding of a string type is unknown", `${padding}`, "0 to 2");
  }
}

/** Padded with NULs to a multiple of eight bytes. */
function readTag(cursor: ByteCursor, length: number): string {
  const bytes = cursor.take(length + (-length & 7));
  return decodeText(bytes).replace(/\0+$/, "");
}

function readCompound(cursor: ByteCursor, version: number, count: number, size: number, depth: number): Datatype {
  const members: { name: string; offset: number; type: Datatype }[] = [];
  for (let index = 0; index < count; index++) {
    const name = readName(cursor, version);
    const offset = version < 3 ? cursor.u32() : cursor.uint(bytesFor(size));
    const shape = version === 1 ? readMemberShape(cursor) : [];
    const base = readDatatype(cursor, depth + 1);
    const type: Datatype = shape.length === 0 ? base : { class: "array", size: product(shape) * base.size, shape, base };
    if (offset + type.size > size) {
      throw cursor.malformed("a compound's member reaches beyond it", `${name}: ${offset} + ${type.size}`, `at most ${size}`);
    }
    members.push({ name, offset, type });
  }
  return { class: "compound", size, members };
}

/** Version 1: rank 1, reserved 3, permutation 4, reserved 4, four sizes of 4. */
function readMemberShape(cursor: ByteCursor): number[] {
  const rank = cursor.u8();
  if (rank > 4) throw cursor.malformed("a compound's member has too many dimensions", `${rank}`, "at most 4");
  cursor.skip(11);
  const sizes = [cursor.u32(), cursor.u32(), cursor.u32(), cursor.u32()];
  return sizes.slice(0, rank);
}

function readEnum(cursor: ByteCursor, version: number, count: number, size: number, depth: number): Datatype {
  const base = readDatatype(cursor, depth + 1);
  const names: string[] = [];
  for (let index = 0; index < count; index++) names.push(readName(cursor, version));
  return { class: "enum", size, base, names, values: cursor.take(count * base.size) };
}

function readArray(cursor: ByteCursor, version: number, size: number, depth: number): Datatype {
  const rank = cursor.u8();
  if (rank > MAX_RANK) throw cursor.malformed("an array type has too many dimensions", `${rank}`, `at most ${MAX_RANK}`);
  if (version < 3) cursor.skip(3);
  const shape: number[] = [];
  for (let axis = 0; axis < rank; axis++) shape.push(cursor.u32());
  if (version < 3) cursor.skip(4 * rank);
  const base = readDatatype(cursor, depth + 1);
  if (product(shape) * base.size !== size) {
    throw cursor.malformed("the size of an array type is wrong", `${size}`, `${shape.join(" × ")} × ${base.size}`);
  }
  return { class: "array", size, shape, base };
}

/** Names end with a NUL; before version 3 they are padded to a multiple of eight bytes. */
function readName(cursor: ByteCursor, version: number): string {
  const bytes = cursor.untilNul();
  if (version < 3) cursor.skip(-(bytes.length + 1) & 7);
  return decodeText(bytes);
}

function endianOf(bits: number): Endian {
  return (bits & 1) === 0 ? "little" : "big";
}

function product(shape: readonly number[]): number {
  return shape.reduce((total, length) => total * length, 1);
}

/** The fewest bytes that hold the number. */
function bytesFor(value: number): number {
  return value < 2 ** 8 ? 1 : value < 2 ** 16 ? 2 : value < 2 ** 24 ? 3 : 4;
}
