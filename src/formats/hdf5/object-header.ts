import type { ByteCursor } from "../byte-cursor.ts";
import { verifyChecksum } from "./checksum.ts";
import { expectSignature, type Hdf5File, unknownVersion } from "./hdf5-file.ts";
import { MAX_HEADER_BLOCKS } from "./limits.ts";

/**
 * Data object header (HDF5 File Format Specification, IV.A.1): a prefix and messages, continued in further blocks.
 *
 * Version 1                             Version 2
 *   version               1               signature "OHDR"      4
 *   reserved              1               version               1
 *   number of messages    2               flags                 1
 *   reference count       4               four times         4×4   if flags bit 5
 *   bytes of messages     4               attribute limits    2×2   if flags bit 4
 *   padding               4               bytes of messages   1, 2, 4 or 8 by flags bits 0-1
 *   messages                              messages, gap
 *                                         checksum              4
 * Message, version 1                    Message, version 2
 *   type                  2               type                  1
 *   size of body          2               size of body          2
 *   flags                 1               flags                 1
 *   reserved              3               creation order        2   if header flags bit 2
 *   body                                  body
 *
 * A continuation block is messages alone in version 1; in version 2 it has a signature "OCHK" before and a checksum behind them.
 */
export interface ObjectHeader {
  readonly address: number;
  /** In the order of the file, without continuations and fillers. */
  readonly messages: readonly HeaderMessage[];
}

export interface HeaderMessage {
  readonly type: number;
  readonly flags: number;
  /** Undefined where the header does not keep it. */
  readonly creationOrder: number | undefined;
  readonly body: Uint8Array;
  /** Absolute offset of the body. */
  readonly position: number;
}

/** Message types, IV.A.2. */
export const MESSAGE = {
  nil: 0x00,
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  oldFillValue: 0x04,
  fillValue: 0x05,
  link: 0x06,
  externalFiles: 0x07,
  layout: 0x08,
  groupInfo: 0x0a,
  filterPipeline: 0x0b,
  attribute: 0x0c,
  sharedMessageTable: 0x0f,
  continuation: 0x10,
  symbolTable: 0x11,
  btreeK: 0x13,
  driverInfo: 0x14,
  attributeInfo: 0x15,
  fileSpaceInfo: 0x17,
  cacheImage: 0x18,
} as const;

/** Message flags: the body is somewhere else; a writer changed the file without knowing the type; whoever does not know it must not go on. */
export const SHARED = 0x02;
export const WAS_UNKNOWN = 0x20;
const FAIL_IF_UNKNOWN = 0x80;
const HIGHEST_KNOWN_TYPE = 0x18;

/** Most object headers of netCDF-4 variables fit; longer ones cost a second read. */
const GUESS = 1024;

/** Reads the object header at `address` with all its continuations. */
export async function readObjectHeader(file: Hdf5File, address: number): Promise<ObjectHeader> {
  const cursor = await file.readGuess(address, 16, GUESS);
  const walk = new MessageWalk(file);
  if (cursor.bytes[0] === 0x4f) await readVersion2(file, address, cursor, walk);
  else await readVersion1(file, address, cursor, walk);
  return { address, messages: walk.messages };
}

/** The first message of a type, if there is one. */
export function findMessage(header: ObjectHeader, type: number): HeaderMessage | undefined {
  return header.messages.find((message) => message.type === type);
}

/** A cursor at the start of a message's body. */
export function openMessage(file: Hdf5File, message: HeaderMessage): ByteCursor {
  return file.cursor(message.body, message.position);
}

async function readVersion1(file: Hdf5File, address: number, cursor: ByteCursor, walk: MessageWalk): Promise<void> {
  const version = cursor.u8();
  if (version !== 1) throw unknownVersion(cursor, "object header", version, "1, or 2 behind a signature");
  cursor.skip(1);
  let messagesLeft = cursor.u16();
  cursor.skip(4);
  const length = cursor.u32();
  cursor.skip(4);
  let block = await within(file, cursor, address, 16, length);
  for (;;) {
    const end = block.position + block.remaining;
    while (messagesLeft > 0 && block.position + 8 <= end) {
      const type = block.u16();
      const size = block.u16();
      const flags = block.u8();
      block.skip(3);
      walk.add(block, type, size, flags, undefined);
      messagesLeft--;
    }
    const next = walk.nextBlock();
    if (next === undefined) return;
    block = await file.read(next.address, next.length);
  }
}

async function readVersion2(file: Hdf5File, address: number, first: ByteCursor, walk: MessageWalk): Promise<void> {
  expectSignature(first, "OHDR", "object header");
  const version = first.u8();
  if (version !== 2) throw unknownVersion(first, "object header", version, "2");
  const flags = first.u8();
  if ((flags & 0x20) !== 0) first.skip(16);
  if ((flags & 0x10) !== 0) first.skip(4);
  const length = first.uint(1 << (flags & 0x03));
  const prefix = first.position - first.base;
  let block = await within(file, first, address, prefix, length + 4);
  let start = file.superblock.base + address;
  for (;;) {
    const end = block.base + block.bytes.length - 4;
    const least = (flags & 0x04) === 0 ? 4 : 6;
    while (block.position + least <= end) {
      const type = block.u8();
      const size = block.u16();
      const messageFlags = block.u8();
      const creationOrder = (flags & 0x04) === 0 ? undefined : block.u16();
      if (block.position + size > end) throw block.malformed("a header message is longer than its block", `${size} bytes`);
      walk.add(block, type, size, messageFlags, creationOrder);
    }
    block.seek(end);
    verifyChecksum(block, start, "object header");
    const next = walk.nextBlock();
    if (next === undefined) return;
    start = file.superblock.base + next.address;
    block = await file.read(next.address, next.length);
    expectSignature(block, "OCHK", "object header continuation");
  }
}

/** A cursor behind the `prefix` bytes of a structure, over exactly `prefix + length` bytes; reads again only what the guess lacked. */
async function within(file: Hdf5File, cursor: ByteCursor, address: number, prefix: number, length: number): Promise<ByteCursor> {
  const whole =
    cursor.bytes.length >= prefix + length
      ? file.cursor(cursor.bytes.subarray(0, prefix + length), cursor.base)
      : await file.read(address, prefix + length);
  whole.skip(prefix);
  return whole;
}

/** Gathers the messages of a header, and the blocks that it still has to visit. */
class MessageWalk {
  readonly messages: HeaderMessage[] = [];
  readonly #file: Hdf5File;
  readonly #blocks: { readonly address: number; readonly length: number }[] = [];
  readonly #seen = new Set<number>();
  #next = 0;

  constructor(file: Hdf5File) {
    this.#file = file;
  }

  add(block: ByteCursor, type: number, size: number, flags: number, creationOrder: number | undefined): void {
    const position = block.position;
    const body = block.take(size);
    if (type === MESSAGE.nil) return;
    if (type === MESSAGE.continuation) {
      this.#continue(this.#file.cursor(body, position));
      return;
    }
    if (type > HIGHEST_KNOWN_TYPE && (flags & FAIL_IF_UNKNOWN) !== 0) {
      throw block.unsupported("a header message of unknown type that must be understood", `type ${type}`);
    }
    this.messages.push({ type, flags, creationOrder, body, position });
  }

  nextBlock(): { readonly address: number; readonly length: number } | undefined {
    return this.#blocks[this.#next++];
  }

  /** Continuation message, IV.A.2.q: address O, length L. */
  #continue(cursor: ByteCursor): void {
    const address = this.#file.requiredAddress(cursor, "object header continuation");
    const length = this.#file.length(cursor);
    if (this.#seen.has(address)) throw cursor.malformed("an object header continues in a circle", `block at ${address} again`);
    if (this.#seen.size >= MAX_HEADER_BLOCKS) {
      throw cursor.malformed("an object header has too many blocks", `more than ${MAX_HEADER_BLOCKS}`);
    }
    this.#seen.add(address);
    this.#blocks.push({ address, length });
  }
}
