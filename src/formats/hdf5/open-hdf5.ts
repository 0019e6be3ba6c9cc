import type { RangeReader } from "../../storage/range-reader.ts";
import { GlobalHeap } from "./global-heap.ts";
import { Hdf5File, unknownVersion } from "./hdf5-file.ts";
import { checkFileSpaceInfo } from "./messages/file-space-info.ts";
import { findMessage, MESSAGE, type ObjectHeader, openMessage, readObjectHeader, WAS_UNKNOWN } from "./object-header.ts";
import { SharedMessages } from "./shared-messages.ts";
import { readSuperblock, type Superblock } from "./superblock.ts";

/** A file with what its objects share. */
export interface OpenHdf5 {
  readonly file: Hdf5File;
  readonly shared: SharedMessages;
  readonly globalHeap: GlobalHeap;
}

/** Reads the superblock and its extension (HDF5 File Format Specification, II.A and II.C). */
export async function openHdf5(reader: RangeReader, signal?: AbortSignal): Promise<OpenHdf5> {
  const superblock = await readSuperblock(reader, signal);
  let file = new Hdf5File(reader, superblock, signal);
  if (superblock.extensionAddress === undefined)
    return { file, shared: new SharedMessages(file), globalHeap: new GlobalHeap(file) };
  const extension = await readObjectHeader(file, superblock.extensionAddress);
  refuseParts(file, extension);
  refuseCacheImage(file, extension);
  const fileSpace = findMessage(extension, MESSAGE.fileSpaceInfo);
  if (fileSpace !== undefined && (fileSpace.flags & WAS_UNKNOWN) === 0) checkFileSpaceInfo(file, openMessage(file, fileSpace));
  file = new Hdf5File(reader, { ...superblock, ...readTreeParameters(file, extension) }, signal);
  const shared = new SharedMessages(file);
  await readSharedMessageTable(file, extension, shared);
  return { file, shared, globalHeap: new GlobalHeap(file) };
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

/**
 * Metadata cache image message, type 0x18: libhdf5 can leave its metadata in one block instead of where they belong; what stands at their
 * addresses is then out of date.
 */
function refuseCacheImage(file: Hdf5File, extension: ObjectHeader): void {
  const message = findMessage(extension, MESSAGE.cacheImage);
  if (message === undefined) return;
  const cursor = openMessage(file, message);
  cursor.skip(1);
  if (file.address(cursor) === undefined) return;
  throw cursor.unsupported("the file keeps its metadata in a cache image, which is not read");
}
