import { FreshetError } from "../../errors/index.ts";
import type { RangeReader } from "../../storage/range-reader.ts";
import { ByteCursor } from "../byte-cursor.ts";
import { verifyChecksum } from "./checksum.ts";

/**
 * Superblock (HDF5 File Format Specification, II.A). It stands at byte 0, or behind a user block at 512, 1024, 2048, …
 *
 * Versions 0 and 1                          Versions 2 and 3
 *   signature                 8               signature                 8
 *   version                   1               version                   1
 *   free-space version        1               size of offsets (O)       1
 *   root entry version        1               size of lengths (L)       1
 *   reserved                  1               consistency flags         1
 *   shared header version     1               base address              O
 *   size of offsets (O)       1               extension address         O
 *   size of lengths (L)       1               end-of-file address       O
 *   reserved                  1               root header address       O
 *   group leaf K              2               checksum                  4
 *   group internal K          2
 *   consistency flags         4
 *   indexed storage K         2   version 1
 *   reserved                  2   version 1
 *   base address              O
 *   free-space address        O
 *   end-of-file address       O
 *   driver information        O
 *   root entry: name offset   O
 *   root header address       O
 *   cache type, scratch      24
 */
export interface Superblock {
  readonly version: number;
  /** Absolute offset of the signature. All addresses count from here, whatever the base address field says. */
  readonly base: number;
  /** Bytes of an address. */
  readonly offsetSize: number;
  /** Bytes of a length. */
  readonly lengthSize: number;
  readonly rootAddress: number;
  readonly extensionAddress: number | undefined;
  /** Half the most entries that a node of each kind has. */
  readonly groupLeafK: number;
  readonly groupInternalK: number;
  readonly chunkK: number;
}

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
const LONGEST = 8 + 16 + 8 + 4 * 8 + 40;
const WIDTHS = [2, 4, 8];
/** The file is open for writing, or for writing with readers beside. */
const BEING_WRITTEN = 0x01 | 0x04;

/**
 * Finds and reads the superblock.
 * @throws FreshetError `unknown-format` without a signature, `truncated` when the file is shorter than it says,
 *   `unsupported` for one member of a file in several parts.
 */
export async function readSuperblock(reader: RangeReader, signal?: AbortSignal): Promise<Superblock> {
  const base = await findSignature(reader, signal);
  const bytes = await reader.read(base, Math.min(LONGEST, reader.size - base), signal);
  const cursor = new ByteCursor(bytes, { uri: reader.uri, base, endian: "little" });
  cursor.skip(8);
  const version = cursor.u8();
  switch (version) {
    case 0:
    case 1:
      return await readOld(reader, cursor, version, signal);
    case 2:
    case 3:
      return readNew(reader, cursor, version);
    default:
      throw new FreshetError("unsupported", "the version of the superblock is unknown", {
        found: `${version}`,
        expected: "0 to 3",
        uri: reader.uri,
        offset: base + 8,
      });
  }
}

async function findSignature(reader: RangeReader, signal: AbortSignal | undefined): Promise<number> {
  let first: Uint8Array | undefined;
  for (let at = 0; at + 8 <= reader.size; at = at === 0 ? 512 : at * 2) {
    const bytes = await reader.read(at, 8, signal);
    first ??= bytes;
    if (SIGNATURE.every((byte, index) => bytes[index] === byte)) return at;
  }
  throw new FreshetError("unknown-format", "not an HDF5 file: it has no signature", {
    found:
      first === undefined ? `${reader.size} bytes` : Array.from(first, (byte) => byte.toString(16).padStart(2, "0")).join(" "),
    expected: "89 48 44 46 0d 0a 1a 0a at byte 0, 512, 1024, …",
    uri: reader.uri,
  });
}

async function readOld(reader: RangeReader, cursor: ByteCursor, version: number, signal?: AbortSignal): Promise<Superblock> {
  cursor.skip(4);
  const offsetSize = readWidth(cursor, "offsets");
  const lengthSize = readWidth(cursor, "lengths");
  cursor.skip(1);
  const groupLeafK = readK(cursor, "group leaf");
  const groupInternalK = readK(cursor, "group internal");
  cursor.skip(4);
  const chunkK = version === 1 ? readK(cursor, "indexed storage") : 32;
  if (version === 1) cursor.skip(2);
  const baseField = addressOf(cursor, offsetSize);
  cursor.skip(offsetSize);
  const end = cursor.take(offsetSize);
  const driver = addressOf(cursor, offsetSize);
  // Before the end: that of a part is the end of the whole.
  if (driver !== undefined) await checkDriver(reader, cursor.base + driver, signal);
  checkEnd(reader, cursor, baseField, end);
  cursor.skip(offsetSize);
  const rootAddress = required(cursor, addressOf(cursor, offsetSize));
  const widths = { offsetSize, lengthSize, groupLeafK, groupInternalK, chunkK };
  return { version, base: cursor.base, ...widths, rootAddress, extensionAddress: undefined };
}

function readNew(reader: RangeReader, cursor: ByteCursor, version: number): Superblock {
  const offsetSize = readWidth(cursor, "offsets");
  const lengthSize = readWidth(cursor, "lengths");
  const flags = cursor.u8();
  if (version === 3 && (flags & BEING_WRITTEN) !== 0) {
    throw new FreshetError("malformed", "the file is marked as still being written", {
      uri: reader.uri,
      offset: cursor.position - 1,
      remedy: "Fetch it again when its producer has closed it",
    });
  }
  const baseField = addressOf(cursor, offsetSize);
  const extensionAddress = addressOf(cursor, offsetSize);
  const end = cursor.take(offsetSize);
  const rootAddress = addressOf(cursor, offsetSize);
  verifyChecksum(cursor, cursor.base, "superblock");
  checkEnd(reader, cursor, baseField, end);
  const ks = { groupLeafK: 4, groupInternalK: 16, chunkK: 32 };
  return {
    version,
    base: cursor.base,
    offsetSize,
    lengthSize,
    rootAddress: required(cursor, rootAddress),
    extensionAddress,
    ...ks,
  };
}

function readWidth(cursor: ByteCursor, what: string): number {
  const width = cursor.u8();
  if (!WIDTHS.includes(width)) throw cursor.malformed(`the size of ${what} is impossible`, `${width}`, "2, 4 or 8");
  return width;
}

function readK(cursor: ByteCursor, what: string): number {
  const k = cursor.u16();
  if (k === 0) throw cursor.malformed(`the ${what} K is impossible`, "0", "at least 1");
  return k;
}

function addressOf(cursor: ByteCursor, width: number): number | undefined {
  const bytes = cursor.take(width);
  if (bytes.every((byte) => byte === 0xff)) return undefined;
  cursor.seek(cursor.position - width);
  return cursor.uint(width);
}

function required(cursor: ByteCursor, address: number | undefined): number {
  if (address === undefined) throw cursor.malformed("the superblock names no root group");
  return address;
}

/** The end counts from the base address, and both move together when a user block is put in front or taken away. */
function checkEnd(reader: RangeReader, cursor: ByteCursor, baseField: number | undefined, end: Uint8Array): void {
  const stated = end.reduceRight((value, byte) => value * 256 + byte, 0);
  const size = stated - (baseField ?? 0) + cursor.base;
  if (size > reader.size) {
    throw new FreshetError("truncated", "the file is shorter than its superblock says", {
      found: `${reader.size} bytes`,
      expected: `${size} bytes`,
      uri: reader.uri,
      remedy: "Fetch the file again; if it stays so, the producer's copy is damaged",
    });
  }
}

/**
 * Driver information block (II.B): version 1, reserved 3, size 4, identification 8. It is there for files that are one of
 * several parts.
 */
async function checkDriver(reader: RangeReader, at: number, signal?: AbortSignal): Promise<void> {
  if (at + 16 > reader.size) return;
  const bytes = await reader.read(at + 8, 8, signal);
  const driver = String.fromCharCode(...bytes);
  if (driver.startsWith("NCSA")) {
    throw new FreshetError("unsupported", "the file is one part of several that belong together", {
      found: `driver ${driver.replace(/\0+$/, "")}`,
      expected: "a file that stands alone",
      uri: reader.uri,
      offset: at,
      remedy: "Repack it into one file (h5repack)",
    });
  }
}
