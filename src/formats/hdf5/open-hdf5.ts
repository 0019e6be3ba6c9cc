import type { RangeReader } from "../../storage/range-reader.ts";
import { CHUNK_BYTES, type FormatOptions, INLINE_BYTES } from "../format-scan.ts";
import { type CacheImageEntry, readCacheImage, withCacheImage } from "./cache-image.ts";
import { GlobalHeap } from "./global-heap.ts";
import { Hdf5File, unknownVersion } from "./hdf5-file.ts";
import { checkFileSpaceInfo } from "./messages/file-space-info.ts";
import { findMessage, MESSAGE, type ObjectHeader, openMessage, readObjectHeader, WAS_UNKNOWN } from "./object-header.ts";
import { OtherFiles } from "./other-files.ts";
import { SharedMessages } from "./shared-messages.ts";
import { readSuperblock, type Superblock } from "./superblock.ts";

/** A file with what its objects share, and how it is scanned. */
export interface OpenHdf5 {
  readonly file: Hdf5File;
  readonly shared: SharedMessages;
  readonly globalHeap: GlobalHeap;
  /** Most decoded bytes of one variable that may be inlined. */
  readonly inlineBytes: number;
  /** Wanted bytes of a chunk of what is stored in one piece. */
  readonly chunkBytes: number;
  /** The files that this one names beside itself. */
  readonly others: OtherFiles;
  /** Reads the bytes of a chunk, of this file or one of those. @throws FreshetError `malformed` for more than `most`. */
  readonly readRange: (range: StoredRange, most: number) => Promise<Uint8Array>;
}

interface StoredRange {
  readonly uri: string;
  /** Absolute. */
  readonly offset: number;
  readonly length: number;
}

/** Reads the superblock and its extension (HDF5 File Format Specification, II.A and II.C). */
export async function openHdf5(reader: RangeReader, options: FormatOptions = {}): Promise<OpenHdf5> {
  const { signal } = options;
  const superblock = await readSuperblock(reader, signal);
  const first = new Hdf5File(reader, superblock, signal);
  if (superblock.extensionAddress === undefined) return opened(first, new SharedMessages(first), options);
  const extension = await readObjectHeader(first, superblock.extensionAddress);
  refuseParts(first, extension);
  const fileSpace = findMessage(extension, MESSAGE.fileSpaceInfo);
  if (fileSpace !== undefined && (fileSpace.flags & WAS_UNKNOWN) === 0) checkFileSpaceInfo(first, openMessage(first, fileSpace));
  const image = await openCacheImage(first, extension);
  const whole = image.length === 0 ? reader : withCacheImage(reader, superblock.base, image);
  const file = new Hdf5File(whole, { ...superblock, ...readTreeParameters(first, extension) }, signal);
  const shared = new SharedMessages(file);
  await readSharedMessageTable(file, extension, shared);
  return opened(file, shared, options);
}

function opened(file: Hdf5File, shared: SharedMessages, options: FormatOptions): OpenHdf5 {
  const { inlineBytes = INLINE_BYTES, chunkBytes = CHUNK_BYTES } = options;
  const others = new OtherFiles(options.openBeside);
  const readRange: OpenHdf5["readRange"] = async ({ uri, offset, length }, most) => {
    const address = offset - file.superblock.base;
    if (length > most) {
      throw file.malformed("a stored chunk is much longer than its elements", address, `${length} bytes`, `at most ${most}`);
    }
    const other = uri === file.uri ? undefined : others.opened(uri);
    return other === undefined ? (await file.read(address, length)).bytes : await other.read(offset, length, file.signal);
  };
  return { file, shared, globalHeap: new GlobalHeap(file), inlineBytes, chunkBytes, others, readRange };
}

/** B-tree 'K' values message, type 0x13: version 1, chunk K 2, group internal K 2, group leaf K 2. */
function readTreeParameters(
  file: Hdf5File,
  extension: ObjectHeader,
): Partial<Pick<Superblock, "chunkK" | "groupInternalK" | "groupLeafK">> {
  const message = findMessage(extension, MESSAGE.btreeK);
  if (message === undefined) return {};
  const cursor = openMessage(file, message);
  const version = cursor.u8();
  if (version !== 0) throw unknownVersion(cursor, "B-tree K message", version, "0");
  return { chunkK: cursor.u16(), groupInternalK: cursor.u16(), groupLeafK: cursor.u16() };
}

/** Shared message table message, type 0x0F: version 1, address O, number of indexes 1. */
async function readSharedMessageTable(file: Hdf5File, extension: ObjectHeader, shared: SharedMessages): Promise<void> {
  const message = findMessage(extension, MESSAGE.sharedMessageTable);
  if (message === undefined) return;
  const cursor = openMessage(file, message);
  const version = cursor.u8();
  if (version !== 0) throw unknownVersion(cursor, "shared message table message", version, "0");
  const address = file.requiredAddress(cursor, "shared message table");
  await shared.readTable(address, cursor.u8());
}

/** Driver info message, type 0x14: version 1, identification 8, …: there for files that are one of several parts. */
function refuseParts(file: Hdf5File, extension: ObjectHeader): void {
  const message = findMessage(extension, MESSAGE.driverInfo);
  if (message === undefined) return;
  const cursor = openMessage(file, message);
  cursor.skip(1);
  const driver = String.fromCharCode(...cursor.take(8));
  throw cursor.unsupported(
    "the file is one part of several that belong together",
    `driver ${driver}`,
    "a file that stands alone",
  );
}

/** Metadata cache image message, type 0x18: version 1, address O, length L. Without an address there is no image. */
async function openCacheImage(file: Hdf5File, extension: ObjectHeader): Promise<readonly CacheImageEntry[]> {
  const message = findMessage(extension, MESSAGE.cacheImage);
  if (message === undefined) return [];
  const cursor = openMessage(file, message);
  const version = cursor.u8();
  if (version !== 0) throw unknownVersion(cursor, "metadata cache image message", version, "0");
  const address = file.address(cursor);
  return address === undefined ? [] : await readCacheImage(file, address, file.length(cursor));
}
