import type { ByteCursor } from "../../byte-cursor.ts";
import { type Hdf5File, unknownVersion } from "../hdf5-file.ts";

/**
 * External data files message, type 0x07 (HDF5 File Format Specification, IV.A.2.h): the values of a contiguous dataset in other files, one
 * after the other.
 *
 *   version             1
 *   reserved            3
 *   allocated slots     2
 *   used slots          2
 *   local heap          O
 *   slots, each:
 *     name              L   offset in the heap
 *     offset            L   in the other file
 *     bytes             L   all ones: unlimited
 */
export interface ExternalFiles {
  readonly heapAddress: number;
  readonly slots: readonly ExternalSlot[];
}

export interface ExternalSlot {
  /** Offset of the file's name in the heap. */
  readonly name: number;
  readonly offset: number;
  /** Undefined: all that is still missing. */
  readonly bytes: number | undefined;
}

/** Reads the message's body. */
export function readExternalFiles(file: Hdf5File, cursor: ByteCursor): ExternalFiles {
  const version = cursor.u8();
  if (version !== 1) throw unknownVersion(cursor, "external file list", version, "1");
  cursor.skip(5);
  const used = cursor.u16();
  const heapAddress = file.requiredAddress(cursor, "local heap of an external file list");
  const slots: ExternalSlot[] = [];
  for (let slot = 0; slot < used; slot++) {
    slots.push({ name: file.length(cursor), offset: file.length(cursor), bytes: file.lengthOrUnlimited(cursor) });
  }
  return { heapAddress, slots };
}
