import type { ByteCursor } from "../../byte-cursor.ts";
import { type Hdf5File, unknownVersion } from "../hdf5-file.ts";
import { decodeText } from "../text.ts";

/**
 * Link message, type 0x06 (HDF5 File Format Specification, IV.A.2.g).
 *
 *   version            1
 *   flags              1
 *   link type          1   if flags bit 3; else a hard link
 *   creation order     8   if flags bit 2
 *   character set      1   if flags bit 4
 *   length of name     1, 2, 4 or 8 by flags bits 0-1
 *   name
 *   hard link (0):      address O
 *   soft link (1):      length 2, path
 *   external link (64): length 2, flags 1, file name NUL, path NUL
 *   other types:        length 2, bytes
 */
export interface Link {
  readonly name: string;
  readonly creationOrder: number | undefined;
  readonly target: LinkTarget;
}

export type LinkTarget =
  | { readonly kind: "hard"; readonly address: number }
  /** Leads to an object that has a hard link too, or nowhere. */
  | { readonly kind: "soft" }
  | { readonly kind: "external"; readonly fileName: string; readonly path: string }
  | { readonly kind: "user-defined"; readonly type: number };

/** Reads the message's body. */
export function readLink(file: Hdf5File, cursor: ByteCursor): Link {
  const version = cursor.u8();
  if (version !== 1) throw unknownVersion(cursor, "link", version, "1");
  const flags = cursor.u8();
  const type = (flags & 0x08) === 0 ? 0 : cursor.u8();
  const creationOrder = (flags & 0x04) === 0 ? undefined : cursor.u64();
  if ((flags & 0x10) !== 0) cursor.skip(1);
  const name = decodeText(cursor.take(cursor.uint(1 << (flags & 0x03))));
  return { name, creationOrder, target: readTarget(file, cursor, type) };
}

function readTarget(file: Hdf5File, cursor: ByteCursor, type: number): LinkTarget {
  switch (type) {
    case 0:
      return { kind: "hard", address: file.requiredAddress(cursor, "object that a link leads to") };
    case 1:
      return { kind: "soft" };
    case 64: {
      cursor.skip(3);
      return { kind: "external", fileName: decodeText(cursor.untilNul()), path: decodeText(cursor.untilNul()) };
    }
    default:
      return { kind: "user-defined", type };
  }
}
