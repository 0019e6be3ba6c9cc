import type { ByteCursor } from "../../byte-cursor.ts";
import { type Hdf5File, unknownVersion } from "../hdf5-file.ts";

/**
 * Attribute info message, type 0x15 (HDF5 File Format Specification, IV.A.2.v).
 *
 *   version                 1
 *   flags                   1
 *   highest creation index  2   if flags bit 0
 *   fractal heap            O
 *   name index              O
 *   creation order index    O   if flags bit 1
 */
export interface AttributeInfo {
  /** Undefined while the attributes are messages of the header. */
  readonly heapAddress: number | undefined;
  readonly nameIndexAddress: number | undefined;
}

/** Reads the message's body. */
export function readAttributeInfo(file: Hdf5File, cursor: ByteCursor): AttributeInfo {
  const version = cursor.u8();
  if (version !== 0) throw unknownVersion(cursor, "attribute info", version, "0");
  if ((cursor.u8() & 0x01) !== 0) cursor.skip(2);
  return { heapAddress: file.address(cursor), nameIndexAddress: file.address(cursor) };
}
