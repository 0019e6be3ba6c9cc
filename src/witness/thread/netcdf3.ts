import { type Header, NetCDFReader, type Variable } from "netcdfjs";
import { answerOf, differenceOf, type OpenSource } from "./decoder.ts";
import type { Answer, Wanted } from "./messages.ts";
import type { Ranges } from "./ranges.ts";

/** The header is read by this much, then by four times as much, and so on. */
const FIRST_BYTES = 64 * 1024;
const HEADER_LIMIT = 16 * 1024 * 1024;
/** Of one block: a column of a large grid would be read element by element. */
const MOST_PIECES = 4096;
/** A record count that is not known (NetCDF Classic Format Specification, `STREAMING`). */
const STREAMING = 0xffff_ffff;

interface NumberType {
  /** Zarr's name. */
  readonly name: string;
  readonly bytes: number;
  /**
   * The type of the same bytes that netcdfjs is asked to decode: it hands over floats as JavaScript's numbers, which do not keep
   * the payload of a NaN, and integers as they are.
   */
  readonly decodedAs: "byte" | "short" | "int";
}

/** By netcdfjs's name. Its `byte` comes out unsigned: the same eight bits. */
const TYPES: ReadonlyMap<string, NumberType> = new Map([
  ["byte", { name: "int8", bytes: 1, decodedAs: "byte" }],
  ["short", { name: "int16", bytes: 2, decodedAs: "short" }],
  ["int", { name: "int32", bytes: 4, decodedAs: "int" }],
  ["float", { name: "float32", bytes: 4, decodedAs: "int" }],
  ["double", { name: "float64", bytes: 8, decodedAs: "int" }],
]);

/** What netcdfjs makes of a file's first bytes. */
interface Head {
  readonly header: Header;
  readonly bytes: Uint8Array;
}

/** @throws Error with netcdfjs's own reason why it does not read the header. */
export function openNetcdf3(ranges: Ranges): OpenSource {
  const head = readHead(ranges);
  return { read: (wanted) => readBlock(head, ranges, wanted), close: () => {} };
}

function readHead(ranges: Ranges): Head {
  const limit = Math.min(ranges.size, HEADER_LIMIT);
  for (let length = Math.min(FIRST_BYTES, limit); ; length = Math.min(4 * length, limit)) {
    // A copy: what is read may be a view into a kept block.
    const bytes = ranges.read(0, length).slice();
    try {
      return { header: new NetCDFReader(bytes).header, bytes };
    } catch (error) {
      // Beyond the bytes that are there, not against the format's rules.
      if (error instanceof RangeError && length < limit) continue;
      throw new Error(`netcdfjs does not read the header: ${(error as Error).message}`);
    }
  }
}

function readBlock(head: Head, ranges: Ranges, wanted: Wanted): Answer {
  const { header } = head;
  const variable = variableNamed(header, wanted.path);
  const type = TYPES.get(variable.type);
  if (type === undefined) throw new Error(`netcdfjs hands over no numbers of its type ${variable.type}`);
  const shape = shapeOf(header, variable);
  const difference = differenceOf(wanted, { type: type.name, shape });
  if (difference !== undefined) return difference;
  const stored = readBytes(head, ranges, variable, type, wanted);
  return answerOf(wanted, decode(head, variable, type, stored));
}

/** The block's bytes, row for row: what is whole on the fast axes lies in one piece, records lie apart. */
function readBytes({ header }: Head, ranges: Ranges, variable: Variable, { bytes }: NumberType, wanted: Wanted): Uint8Array {
  const { shape, start, extent } = wanted;
  let inner = shape.length;
  while (inner > (variable.record ? 1 : 0) && extent[inner - 1] === shape[inner - 1]) inner--;
  // One axis that is not whole may still be one piece.
  const outer = Math.max(inner - 1, variable.record ? 1 : 0);
  const strides = stridesOf(shape, bytes, variable.record ? recordStep(header) : undefined);
  const length = extent.slice(outer).reduce((product, count) => product * count, bytes);
  const pieces = extent.slice(0, outer).reduce((product, count) => product * count, 1);
  if (pieces > MOST_PIECES) throw new Error(`a block in ${pieces} pieces is not read by netcdfjs`);
  const first = start.reduce((offset, at, axis) => offset + at * (strides[axis] as number), variable.offset);
  const joined = new Uint8Array(pieces * length);
  for (let piece = 0; piece < pieces; piece++) {
    let offset = first;
    for (let axis = outer - 1, left = piece; axis >= 0; axis--) {
      const count = extent[axis] as number;
      offset += (left % count) * (strides[axis] as number);
      left = Math.floor(left / count);
    }
    joined.set(exactly(ranges, offset, length), piece * length);
  }
  return joined;
}

/** Bytes from one element to the next along each axis. */
function stridesOf(shape: readonly number[], elementBytes: number, step: number | undefined): number[] {
  const strides = new Array<number>(shape.length).fill(elementBytes);
  for (let axis = shape.length - 2; axis >= 0; axis--)
    strides[axis] = (strides[axis + 1] as number) * (shape[axis + 1] as number);
  if (step !== undefined) strides[0] = step;
  return strides;
}

function exactly(ranges: Ranges, offset: number, length: number): Uint8Array {
  const bytes = ranges.read(offset, length);
  if (bytes.length < length)
    throw new Error(`netcdfjs sees values in bytes ${offset} to ${offset + length}, and the file ends before`);
  return bytes;
}

/** netcdfjs takes a name's bytes for Latin-1; they are UTF-8. */
function variableNamed(header: Header, path: string): Variable {
  const found = (header.variables ?? []).find(({ name }) => `/${Buffer.from(name, "latin1").toString("utf8")}` === path);
  if (found === undefined) throw new Error("netcdfjs finds no such variable");
  return found;
}

function shapeOf(header: Header, variable: Variable): number[] {
  if (variable.record && header.recordDimension.length === STREAMING)
    throw new Error("netcdfjs needs the number of records, which the file leaves open");
  return variable.dimensions.map((id, axis) => {
    if (axis === 0 && variable.record) return header.recordDimension.length;
    const dimension = header.dimensions[id];
    if (dimension === undefined) throw new Error(`netcdfjs finds no dimension ${id}`);
    return dimension.size;
  });
}

/**
 * Bytes from one record to the next, as netcdfjs adds them up: from the sizes in the header, each with its padding. Where that is
 * not so by the format's own rules, the reader is wrong and not the file.
 */
function recordStep(header: Header): number {
  const records = header.variables.filter(({ record }) => record);
  for (const variable of records) {
    const bytes = TYPES.get(variable.type)?.bytes ?? 1;
    const exact = variable.dimensions.slice(1).reduce((product, id) => product * (header.dimensions[id]?.size ?? 0), bytes);
    if (variable.size !== Math.ceil(exact / 4) * 4)
      throw new Error("netcdfjs believes the sizes in the header, and they are not right");
    // The format pads no records of an only record variable.
    if (records.length === 1 && exact % 4 !== 0) throw new Error("netcdfjs pads the records of an only record variable");
  }
  const step = header.recordDimension.recordStep;
  if (step === undefined) throw new Error("netcdfjs does not say how far records are apart");
  return step;
}

/** Has netcdfjs decode stored bytes, in a file of the same header in which they are the variable's only record. */
function decode(head: Head, variable: Variable, type: NumberType, stored: Uint8Array): Uint8Array {
  const reader = new NetCDFReader(Buffer.concat([head.bytes, stored]));
  reader.header.recordDimension = { ...reader.header.recordDimension, length: 1, recordStep: 1 };
  const only = { ...variable, type: type.decodedAs, record: true, size: stored.length, offset: head.bytes.length };
  const [decoded] = reader.getDataVariable(only);
  const values = (Array.isArray(decoded) ? decoded : [decoded]) as number[];
  return littleEndian(values, type);
}

function littleEndian(values: readonly number[], { decodedAs, bytes }: NumberType): Uint8Array {
  const width = decodedAs === "byte" ? 1 : decodedAs === "short" ? 2 : 4;
  const Numbers = { byte: Uint8Array, short: Int16Array, int: Int32Array }[decodedAs];
  const numbers = new Numbers(values.length);
  // The upper half of eight big-endian bytes comes first; in little-endian order it is the second.
  const flip = bytes > width ? 1 : 0;
  for (let at = 0; at < values.length; at++) numbers[at ^ flip] = values[at] as number;
  return new Uint8Array(numbers.buffer);
}
