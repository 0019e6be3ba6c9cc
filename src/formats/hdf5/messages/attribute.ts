import type { ByteCursor } from "../../byte-cursor.ts";
import { type Hdf5File, unknownVersion } from "../hdf5-file.ts";
import { MESSAGE } from "../object-header.ts";
import type { SharedMessages } from "../shared-messages.ts";
import { decodeText } from "../text.ts";
import { type Dataspace, readDataspace } from "./dataspace.ts";
import { type Datatype, readDatatype } from "./datatype.ts";

/**
 * Attribute message, type 0x0C (HDF5 File Format Specification, IV.A.2.m).
 *
 *   version               1
 *   flags                 1   versions 2 and 3; bit 0: the datatype is shared, bit 1: the dataspace is
 *   length of name        2   its NUL included
 *   length of datatype    2
 *   length of dataspace   2
 *   character set         1   version 3
 *   name, datatype, dataspace; in version 1 each is padded to a multiple of 8
 *   value
 */
export interface StoredAttribute {
  readonly name: string;
  readonly datatype: Datatype;
  readonly dataspace: Dataspace;
  /** The value as stored, from here to the end of the message. */
  readonly value: Uint8Array;
  /** Absolute offset of the value. */
  readonly position: number;
}

/** Reads the message's body. */
export async function readAttribute(file: Hdf5File, shared: SharedMessages, cursor: ByteCursor): Promise<StoredAttribute> {
  const version = cursor.u8();
  if (version < 1 || version > 3) throw unknownVersion(cursor, "attribute", version, "1 to 3");
  const flagByte = cursor.u8();
  const flags = version === 1 ? 0 : flagByte;
  const nameLength = cursor.u16();
  const typeLength = cursor.u16();
  const spaceLength = cursor.u16();
  if (version === 3) cursor.skip(1);
  const padding = version === 1 ? 7 : 0;
  const nameBytes = cursor.take(nameLength);
  cursor.skip(-nameLength & padding);
  const typeStart = cursor.position;
  const typeBytes = cursor.take(typeLength);
  cursor.skip(-typeLength & padding);
  const spaceStart = cursor.position;
  const spaceBytes = cursor.take(spaceLength);
  cursor.skip(-spaceLength & padding);
  const end = nameBytes.indexOf(0);
  const name = decodeText(end < 0 ? nameBytes : nameBytes.subarray(0, end));
  const typeCursor = file.cursor(typeBytes, typeStart);
  const spaceCursor = file.cursor(spaceBytes, spaceStart);
  return {
    name,
    datatype: readDatatype((flags & 1) === 0 ? typeCursor : await shared.follow(typeCursor, MESSAGE.datatype)),
    dataspace: readDataspace(file, (flags & 2) === 0 ? spaceCursor : await shared.follow(spaceCursor, MESSAGE.dataspace)),
    position: cursor.position,
    value: cursor.take(cursor.remaining),
  };
}
