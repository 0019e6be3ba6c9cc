import type { ByteCursor } from "../../byte-cursor.ts";
import { unknownVersion } from "../hdf5-file.ts";

/**
 * Fill value messages (HDF5 File Format Specification, IV.A.2.e and f).
 *
 * Type 0x04 (old)        Type 0x05, versions 1 and 2       Type 0x05, version 3
 *   size    4              version           1               version   1
 *   value   size           allocation time   1               flags     1   bit 4: undefined, bit 5: a value follows
 *                          write time        1               size      4   if flags bit 5
 *                          defined           1               value
 *                          size              4   always in version 1, if defined in version 2
 *                          value
 */
export type StoredFill =
  /** What was never written has no value: the writer asked for that. */
  | { readonly kind: "undefined" }
  /** Nobody chose a value: the format's zero. */
  | { readonly kind: "default" }
  /** One element as it would be stored. */
  | { readonly kind: "value"; readonly bytes: Uint8Array };

/** Reads the body of a message of type 0x05. */
export function readFillValue(cursor: ByteCursor): StoredFill {
  const version = cursor.u8();
  switch (version) {
    case 1:
    case 2: {
      cursor.skip(2);
      const defined = cursor.u8() !== 0;
      if (!defined) return { kind: "undefined" };
      return readSized(cursor);
    }
    case 3: {
      const flags = cursor.u8();
      if ((flags & 0x20) !== 0) return readSized(cursor);
      return { kind: (flags & 0x10) !== 0 ? "undefined" : "default" };
    }
    default:
      throw unknownVersion(cursor, "fill value", version, "1 to 3");
  }
}

/** Reads the body of a message of type 0x04. */
export function readOldFillValue(cursor: ByteCursor): StoredFill {
  return readSized(cursor);
}

function readSized(cursor: ByteCursor): StoredFill {
  // libhdf5 stores -1 for "undefined" in the size of old messages, and 0 for "default".
  const size = cursor.u32();
  if (size === 0xffff_ffff) return { kind: "undefined" };
  if (size === 0) return { kind: "default" };
  return { kind: "value", bytes: cursor.take(size) };
}
