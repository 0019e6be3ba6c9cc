import type { ByteCursor } from "../byte-cursor.ts";
import { verifyChecksum } from "./checksum.ts";
import { type Hdf5File, unknownVersion } from "./hdf5-file.ts";
import { readSelection, type Selection } from "./selection.ts";
import { decodeText } from "./text.ts";

/**
 * What a virtual dataset is made of: an object of the global heap (HDF5 File Format Specification, IV.A.2.i, "virtual dataset global heap block").
 *
 *   version                  1
 *   entries                  L
 *   entries, each:
 *     name of the file         NUL   ".": this file
 *     path of the dataset      NUL
 *     selection in the source
 *     selection in this one
 *   checksum                 4
 */
export interface VirtualMapping {
  readonly fileName: string;
  readonly path: string;
  readonly source: Selection;
  readonly own: Selection;
}

/** Reads the block. */
export function readVirtualMappings(file: Hdf5File, cursor: ByteCursor): readonly VirtualMapping[] {
  const version = cursor.u8();
  if (version !== 0) throw unknownVersion(cursor, "virtual dataset's list of sources", version, "0");
  const entries = file.length(cursor);
  const mappings: VirtualMapping[] = [];
  for (let entry = 0; entry < entries; entry++) {
    const fileName = decodeText(cursor.untilNul());
    const path = decodeText(cursor.untilNul());
    mappings.push({ fileName, path, source: readSelection(cursor), own: readSelection(cursor) });
  }
  verifyChecksum(cursor, cursor.base, "virtual dataset's list of sources");
  return mappings;
}
