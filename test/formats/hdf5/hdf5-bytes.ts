import { lookup3 } from "../../../src/formats/hdf5/checksum.ts";

/** Numbers and text as bytes: an HDF5 structure written down field by field. */
export function fields(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part))));
}

export const u8 = (...values: number[]): Uint8Array => Uint8Array.from(values);
export const u16 = (value: number): Uint8Array => little(value, 2);
export const u32 = (value: number): Uint8Array => little(value, 4);
export const u64 = (value: number | bigint): Uint8Array => little(value, 8);
export const UNDEFINED = u64(2n ** 64n - 1n);

function little(value: number | bigint, width: number): Uint8Array {
  let rest = BigInt(value);
  return Uint8Array.from({ length: width }, () => {
    const byte = Number(rest & 0xffn);
    rest >>= 8n;
    return byte;
  });
}

/** The bytes with their checksum behind them. */
export function checked(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const bytes = fields(...parts);
  return fields(bytes, u32(lookup3(bytes, 0, bytes.length)));
}

/** Puts structures at their addresses; what is between them is zero. */
export function fileOf(structures: Readonly<Record<number, Uint8Array>>, size = 0): Uint8Array {
  const ends = Object.entries(structures).map(([address, bytes]) => Number(address) + bytes.length);
  const file = new Uint8Array(Math.max(size, ...ends));
  for (const [address, bytes] of Object.entries(structures)) file.set(bytes, Number(address));
  return file;
}

/** Where `hdf5` puts the root group's header. */
export const ROOT = 48;

/** A file of superblock version 2, a root group that has these links, and more structures. */
export function hdf5(
  links: Readonly<Record<string, number>>,
  structures: Readonly<Record<number, Uint8Array>>,
  options: { readonly size?: number; readonly version?: number; readonly flags?: number } = {},
): Uint8Array {
  const root = group(links);
  const body = fileOf({ [ROOT]: root, ...structures }, options.size);
  body.set(superblock(body.length, options));
  return body;
}

export function superblock(end: number, options: { readonly version?: number; readonly flags?: number } = {}): Uint8Array {
  const { version = 2, flags = 0 } = options;
  return checked("\x89HDF\r\n\x1a\n", u8(version, 8, 8, flags), u64(0), UNDEFINED, u64(end), u64(ROOT));
}

export type Message = readonly [type: number, body: Uint8Array, flags?: number];

/** Object header, version 2. */
export function header(...messages: readonly Message[]): Uint8Array {
  const body = messagesOf(messages);
  return checked("OHDR", u8(2, 0x02), u32(body.length), body);
}

/** A continuation block of one. */
export function continuation(...messages: readonly Message[]): Uint8Array {
  return checked("OCHK", messagesOf(messages));
}

function messagesOf(messages: readonly Message[]): Uint8Array {
  return fields(...messages.map(([type, body, flags = 0]) => fields(u8(type), u16(body.length), u8(flags), body)));
}

export function group(links: Readonly<Record<string, number>>): Uint8Array {
  const info: Message = [0x02, fields(u8(0, 0), UNDEFINED, UNDEFINED)];
  return header(info, ...Object.entries(links).map(([name, address]): Message => [0x06, link(name, address)]));
}

export function link(name: string, address: number): Uint8Array {
  return fields(u8(1, 0, name.length), name, u64(address));
}

export function dataspace(shape: readonly (number | bigint)[]): Message {
  return [0x01, fields(u8(2, shape.length, 0, 1), ...shape.map(u64))];
}

export const INT32 = fields(u8(0x10, 0x08, 0, 0), u32(4), u16(0), u16(32));
export const VARIABLE_TEXT = fields(u8(0x19, 0x01, 0, 0), u32(16), u8(0x13, 0, 0, 0), u32(1));

export function datatype(bytes: Uint8Array = INT32): Message {
  return [0x03, bytes];
}

export function contiguous(address: number, size: number): Message {
  return [0x08, fields(u8(3, 1), u64(address), u64(size))];
}

/** Chunks in a version 1 B-tree; the sizes end with that of an element. */
export function chunked(address: number, sizes: readonly number[]): Message {
  return [0x08, fields(u8(3, 2, sizes.length), u64(address), ...sizes.map(u32))];
}

/** One key and child of a B-tree node of chunks: stored bytes, offset of the chunk in each dimension, address. */
export type Entry = readonly [length: number, offsets: readonly number[], address: number];

export function btreeNode(level: number, entries: readonly Entry[], count = entries.length): Uint8Array {
  const keys = entries.map(([length, offsets, address]) =>
    fields(u32(length), u32(0), ...offsets.map(u64), u64(0), u64(address)),
  );
  // The last key is beyond everything.
  const end = fields(u64(0), ...(entries[0]?.[1] ?? []).map(() => u64(2 ** 40)), u64(4));
  return fields("TREE", u8(1, level), u16(count), UNDEFINED, UNDEFINED, ...keys, end);
}
