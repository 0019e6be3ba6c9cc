import type { ByteCursor } from "../../byte-cursor.ts";
import { type Hdf5File, unknownVersion } from "../hdf5-file.ts";

/**
 * Link info message, type 0x02 (HDF5 File Format Specification, IV.A.2.c).
 *
 *   version                 1
 *   flags                   1
 *   highest creation index  8   if flags bit 0
 *   fractal heap            O
 *   name index              O
 *   creation order index    O   if flags bit 1
 */
export interface LinkInfo {
  /** Undefined while the links are messages of the header. */
  readonly heapAddress: number | undefined;
  readonly nameIndexAddress: number | undefined;
}

/** Reads the message's body. */
export function readLinkInfo(file: Hdf5File, cursor: ByteCursor): LinkInfo {
  const version = cursor.u8();
  if (version !== 0) throw unknownVersion(cursor, "link info", version, "0");
  if ((cursor.u8() & 0x01) !== 0) cursor.skip(8);
  return { heapAddress: file.address(cursor), nameIndexAddress: file.address(cursor) };
}
