import { FreshetError } from "../errors/index.ts";
import { BitReader } from "./bit-reader.ts";

/**
 * Decodes a chunk of HDF5's scale-offset filter:
 *
 *   bits per value       4   little-endian
 *   bytes of the minimum 1
 *   minimum              8   little-endian, filled up to 16
 *   values                   that many bits each, highest first; from byte 21 on
 *
 * An integer is the minimum plus its value; a float is value / 10^factor + minimum, in its own precision. All bits set: the fill value.
 * `values` are the filter's client values: method (0 decimal float, 1 binary float, 2 integer), factor, elements, class (0 integer,
 * 1 float), size, sign, order (0 little-endian), whether there is a fill value, its bytes in words.
 * `most` bounds the decoded bytes.
 * @throws FreshetError `malformed`, and `unsupported` for the binary float method, which libhdf5 does not have either.
 */
export function undoScaleOffset(bytes: Uint8Array, values: readonly number[], most: number): Uint8Array {
  const [method, factor = 0, elements = 0, numberClass, size = 0, , order] = values;
  const isFloat = numberClass === 1;
  if (values.length < 20 || !(isFloat ? [4, 8] : [1, 2, 4, 8]).includes(size)) throw impossible(`elements of ${size} bytes`);
  if ((!isFloat && numberClass !== 0) || (order !== 0 && order !== 1))
    throw impossible(`class ${numberClass}, byte order ${order}`);
  if (isFloat && method === 1) throw new FreshetError("unsupported", "the scale-offset filter with binary scaling (E-scaling)");
  if (isFloat ? method !== 0 : method !== 2) throw impossible(`method ${method}`);
  // A factor of all bits: libhdf5 leaves such chunks as they are.
  if (!isFloat && factor === 8 * size) return bytes;
  const length = elements * size;
  if (length > most) {
    throw new FreshetError("malformed", "a chunk is larger than its elements", {
      found: `${length} bytes`,
      expected: `${most} bytes`,
    });
  }
  if (bytes.length < HEADER_BYTES) throw new FreshetError("malformed", "a chunk of the scale-offset filter has no header");
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const bits = header.getUint32(0, true);
  if (bits > 8 * size)
    throw new FreshetError("malformed", "a scale-offset chunk has too many bits per value", { found: `${bits}` });
  const minimum = readMinimum(header);
  const decoded = new Uint8Array(length);
  const view = new DataView(decoded.buffer);
  const little = order === 0;
  const packed = bytes.subarray(HEADER_BYTES);
  if (bits === 8 * size) {
    if (packed.length < length) throw new FreshetError("malformed", "the values of a scale-offset chunk end too early");
    decoded.set(packed.subarray(0, length));
    if (!little) swapBytes(decoded, size);
    return decoded;
  }
  const reader = new BitReader(packed, "the bits of a scale-offset chunk");
  const fill = values[7] === 1 ? fillOf(values) : undefined;
  const writeFill = (at: number): void =>
    size === 8
      ? view.setBigUint64(at, fill as bigint, little)
      : writeInteger(view, at, size, little, Number((fill as bigint) & 0xffff_ffffn));
  if (bits > 48) {
    const fillCode = (1n << BigInt(bits)) - 1n;
    const scale = floatScale(size, factor | 0, minimum);
    for (let at = 0; at < length; at += size) {
      const code = (BigInt(reader.bits(bits - 48)) << 48n) | BigInt(reader.bits(48));
      if (fill !== undefined && code === fillCode) writeFill(at);
      else if (isFloat) view.setFloat64(at, scale(Number(code)), little);
      else view.setBigUint64(at, BigInt.asUintN(64, code + minimum), little);
    }
    return decoded;
  }
  const fillCode = fill === undefined ? undefined : 2 ** bits - 1;
  const write = writerOf(view, size, little, isFloat, minimum, factor | 0);
  for (let at = 0; at < length; at += size) {
    const code = reader.bits(bits);
    if (code === fillCode) writeFill(at);
    else write(at, code);
  }
  return decoded;
}

const HEADER_BYTES = 21;

function impossible(found: string): FreshetError {
  return new FreshetError("malformed", "the scale-offset filter has impossible parameters", { found });
}

function readMinimum(header: DataView): bigint {
  const width = Math.min(8, header.getUint8(4));
  let minimum = 0n;
  for (let byte = width - 1; byte >= 0; byte--) minimum = (minimum << 8n) | BigInt(header.getUint8(5 + byte));
  return minimum;
}

/** The first eight bytes of the fill value, from the lowest on. */
function fillOf(values: readonly number[]): bigint {
  return (BigInt(values[9] ?? 0) << 32n) | BigInt(values[8] ?? 0);
}

/** Decimal scaling, rounded after every step as the C library does in the type's own precision. */
function floatScale(size: number, factor: number, minimum: bigint): (code: number) => number {
  const words = new DataView(new ArrayBuffer(8));
  words.setBigUint64(0, minimum, true);
  if (size === 8) {
    const divisor = Number(`1e${factor}`);
    const least = words.getFloat64(0, true);
    return (code) => code / divisor + least;
  }
  const divisor = Math.fround(Number(`1e${factor}`));
  const least = words.getFloat32(0, true);
  return (code) => Math.fround(Math.fround(Math.fround(code | 0) / divisor) + least);
}

/** Writes the value that a code of at most 48 bits stands for. */
function writerOf(
  view: DataView,
  size: number,
  little: boolean,
  isFloat: boolean,
  minimum: bigint,
  factor: number,
): (at: number, code: number) => void {
  if (isFloat) {
    const scale = floatScale(size, factor, minimum);
    return size === 4
      ? (at, code) => view.setFloat32(at, scale(code), little)
      : (at, code) => view.setFloat64(at, scale(code), little);
  }
  if (size === 8) return (at, code) => view.setBigUint64(at, BigInt.asUintN(64, BigInt(code) + minimum), little);
  const least = Number(BigInt.asIntN(32, minimum));
  return (at, code) => writeInteger(view, at, size, little, code + least);
}

function writeInteger(view: DataView, at: number, size: number, little: boolean, value: number): void {
  if (size === 1) view.setUint8(at, value);
  else if (size === 2) view.setUint16(at, value, little);
  else view.setUint32(at, value, little);
}

function swapBytes(bytes: Uint8Array, size: number): void {
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}
