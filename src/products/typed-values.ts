import { FreshetError } from "../errors/index.ts";
import type { NumericType, VirtualArray } from "../virtual/index.ts";

type Values = readonly number[] | readonly bigint[];

/**
 * The elements of a loaded numeric array: one inline chunk, little-endian, C order (what `scan` makes of coordinates).
 * Undefined when the array was not loaded. 64-bit integers are bigints.
 */
export function loadedValues(array: VirtualArray): Values | undefined {
  const bytes = loadedBytes(array);
  if (bytes === undefined || array.dataType.kind !== "number") return undefined;
  return decodeValues(array.dataType.name, bytes);
}

/** The bytes of a loaded array: little-endian, C order; undefined when it was not loaded. */
export function loadedBytes(array: VirtualArray): Uint8Array | undefined {
  const [codec, ...more] = array.codecs;
  if (more.length > 0 || codec?.name !== "bytes" || codec.configuration.endian !== "little") return undefined;
  if (array.manifest.cells !== 1) return undefined;
  const reference = array.manifest.at(0);
  return reference.kind === "inline" ? reference.bytes : undefined;
}

/**
 * Everything that decides what an array reads as, where all of it is in the scan: loaded, inlined chunks, or chunks that were
 * never written. Undefined when part of it lies in the source.
 */
export function storedValues(array: VirtualArray): Uint8Array | undefined {
  const loaded = loadedBytes(array);
  if (loaded !== undefined) return loaded;
  const { manifest, codecs, chunkShape, fillValue } = array;
  const facts = [codecs, chunkShape, typeof fillValue === "bigint" ? `${fillValue}` : fillValue];
  const parts: Uint8Array[] = [Buffer.from(JSON.stringify(facts))];
  for (let cell = 0; cell < manifest.cells; cell++) {
    const reference = manifest.at(cell);
    if (reference.kind === "range") return undefined;
    const bytes = reference.kind === "inline" ? reference.bytes : new Uint8Array(0);
    parts.push(Buffer.from(`\n${reference.kind} ${bytes.length}\n`), bytes);
  }
  return Buffer.concat(parts);
}

/** Little-endian bytes of one element. @throws FreshetError `drift` when the type cannot hold the value exactly. */
export function encodeValue(type: NumericType, value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  const refuse = (): never => {
    throw new FreshetError("drift", "a coordinate value does not fit the coordinate's type", {
      found: `${value}`,
      expected: type,
    });
  };
  const integer = (low: number, high: number): number =>
    Number.isInteger(value) && value >= low && value <= high ? value : refuse();
  switch (type) {
    case "int16":
      view.setInt16(0, integer(-32_768, 32_767), true);
      return new Uint8Array(view.buffer, 0, 2);
    case "int32":
      view.setInt32(0, integer(-2_147_483_648, 2_147_483_647), true);
      return new Uint8Array(view.buffer, 0, 4);
    case "uint32":
      view.setUint32(0, integer(0, 4_294_967_295), true);
      return new Uint8Array(view.buffer, 0, 4);
    case "int64":
      view.setBigInt64(0, BigInt(Number.isInteger(value) ? value : refuse()), true);
      return new Uint8Array(view.buffer);
    case "uint64":
      view.setBigUint64(0, BigInt(Number.isInteger(value) && value >= 0 ? value : refuse()), true);
      return new Uint8Array(view.buffer);
    case "float32":
      if (Math.fround(value) !== value) refuse();
      view.setFloat32(0, value, true);
      return new Uint8Array(view.buffer, 0, 4);
    case "float64":
      view.setFloat64(0, value, true);
      return new Uint8Array(view.buffer);
    default:
      throw new FreshetError("unsupported", "a time coordinate of this type is not written", { found: type });
  }
}

/** In every JavaScript engine since 2025, but not in TypeScript's library for es2024. */
interface Float16View {
  setFloat16(at: number, value: number, isLittleEndian: boolean): void;
}

/** Little-endian bytes of one element of `size` bytes, of any numeric type but the complex ones. */
export function numberBytes(type: NumericType, fill: number | bigint | boolean, size: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(size));
  if (type === "float32") view.setFloat32(0, Number(fill), true);
  else if (type === "float64") view.setFloat64(0, Number(fill), true);
  else if (type === "float16") (view as DataView & Float16View).setFloat16(0, Number(fill), true);
  else {
    for (let at = 0, left = BigInt.asUintN(size * 8, BigInt(fill)); at < size; at++, left >>= 8n)
      view.setUint8(at, Number(left & 255n));
  }
  return new Uint8Array(view.buffer);
}

function decodeValues(type: NumericType, bytes: Uint8Array): Values | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const every = <T>(size: number, read: (at: number) => T): T[] =>
    Array.from({ length: Math.floor(bytes.byteLength / size) }, (_, index) => read(index * size));
  switch (type) {
    case "bool":
    case "uint8":
      return every(1, (at) => view.getUint8(at));
    case "int8":
      return every(1, (at) => view.getInt8(at));
    case "int16":
      return every(2, (at) => view.getInt16(at, true));
    case "uint16":
      return every(2, (at) => view.getUint16(at, true));
    case "int32":
      return every(4, (at) => view.getInt32(at, true));
    case "uint32":
      return every(4, (at) => view.getUint32(at, true));
    case "int64":
      return every(8, (at) => view.getBigInt64(at, true));
    case "uint64":
      return every(8, (at) => view.getBigUint64(at, true));
    case "float32":
      return every(4, (at) => view.getFloat32(at, true));
    case "float64":
      return every(8, (at) => view.getFloat64(at, true));
    case "float16":
    case "complex64":
    case "complex128":
      return undefined;
  }
}
