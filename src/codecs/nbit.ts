import { FreshetError } from "../errors/index.ts";
import { BitReader } from "./bit-reader.ts";

/** What the n-bit filter packs of one element: the bits that carry a value, in the shape of its type. */
type Packed =
  /** `precision` bits from `offset` on, of `size` bytes. */
  | {
      readonly kind: "atomic";
      readonly size: number;
      readonly endian: "little" | "big";
      readonly precision: number;
      readonly offset: number;
    }
  | { readonly kind: "array"; readonly size: number; readonly count: number; readonly base: Packed }
  | {
      readonly kind: "compound";
      readonly size: number;
      readonly members: readonly { readonly at: number; readonly type: Packed }[];
    }
  /** Bytes that are kept as they are. */
  | { readonly kind: "plain"; readonly size: number };

/** Types inside types; those of the datatype messages have the same bound. */
const MAX_DEPTH = 32;

/**
 * Decodes a chunk of HDF5's n-bit filter: the bits of the elements that carry values, one behind the other, highest first; the other bits
 * become zero. `values` are the filter's client values: their number, "nothing is packed", elements in the chunk, and the description of
 * the type (1 atomic: size, order, precision, offset; 2 array: size, base; 3 compound: size, members, each offset and type; 4 plain: size).
 * `most` bounds the decoded bytes. @throws FreshetError `malformed`.
 */
export function unpackBits(bytes: Uint8Array, values: readonly number[], most: number): Uint8Array {
  if (values[1] !== 0) return bytes;
  const elements = values[2] ?? 0;
  const type = readType(values, { at: 3 }, 0);
  if (elements * type.size > most) {
    throw new FreshetError("malformed", "a chunk is larger than its elements", {
      found: `${elements * type.size} bytes`,
      expected: `${most} bytes`,
    });
  }
  const reader = new BitReader(bytes, "the bits of an n-bit chunk");
  const unpacked = new Uint8Array(elements * type.size);
  for (let element = 0; element < elements; element++) unpack(reader, type, unpacked, element * type.size);
  return unpacked;
}

function readType(values: readonly number[], cursor: { at: number }, depth: number): Packed {
  const next = (): number => {
    const value = values[cursor.at++];
    if (value === undefined || depth > MAX_DEPTH) throw impossible("a description that ends too early");
    return value;
  };
  const kind = next();
  const size = next();
  if (size === 0) throw impossible("a type of no bytes");
  switch (kind) {
    case 1: {
      const order = next();
      const precision = next();
      const offset = next();
      if (order > 1 || precision === 0 || precision + offset > 8 * size) {
        throw impossible(`${precision} bits from bit ${offset} of ${size} bytes`);
      }
      return { kind: "atomic", size, endian: order === 0 ? "little" : "big", precision, offset };
    }
    case 2: {
      const base = readType(values, cursor, depth + 1);
      return { kind: "array", size, count: Math.floor(size / base.size), base };
    }
    case 3: {
      const count = next();
      const members: { at: number; type: Packed }[] = [];
      for (let member = 0; member < count; member++) {
        const at = next();
        const type = readType(values, cursor, depth + 1);
        if (at + type.size > size) throw impossible(`a member of ${type.size} bytes at ${at} of ${size}`);
        members.push({ at, type });
      }
      return { kind: "compound", size, members };
    }
    case 4:
      return { kind: "plain", size };
    default:
      throw impossible(`a type of class ${kind}`);
  }
}

function impossible(found: string): FreshetError {
  return new FreshetError("malformed", "the n-bit filter has impossible parameters", { found });
}

function unpack(reader: BitReader, type: Packed, into: Uint8Array, at: number): void {
  switch (type.kind) {
    case "atomic":
      unpackAtomic(reader, type, into, at);
      return;
    case "array":
      for (let index = 0; index < type.count; index++) unpack(reader, type.base, into, at + index * type.base.size);
      return;
    case "compound":
      for (const member of type.members) unpack(reader, member.type, into, at + member.at);
      return;
    case "plain":
      for (let byte = 0; byte < type.size; byte++) into[at + byte] = reader.bits(8);
      return;
  }
}

function unpackAtomic(reader: BitReader, type: Packed & { readonly kind: "atomic" }, into: Uint8Array, at: number): void {
  const { size, endian, precision, offset } = type;
  let bit = offset + precision;
  while (bit > offset) {
    const taken = Math.min(((bit - 1) & 7) + 1, bit - offset);
    bit -= taken;
    const byte = bit >> 3;
    const index = at + (endian === "little" ? byte : size - 1 - byte);
    into[index] = (into[index] as number) | (reader.bits(taken) << (bit & 7));
  }
}
