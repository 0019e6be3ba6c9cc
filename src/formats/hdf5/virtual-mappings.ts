import type { ByteCursor } from "../byte-cursor.ts";
import { verifyChecksum } from "./checksum.ts";
import { type Hdf5File, unknownVersion } from "./hdf5-file.ts";
import { readSelection, type Selection } from "./selection.ts";
import { decodeText } from "./text.ts";

/**
 * What a virtual dataset is made of: an object of the global heap (HDF5 File Format Specification, IV.A.2.i, "virtual dataset global heap block").
 *
 *   version                  1   0, or 1 (HDF5 2.0; not in the specification: told from what the library writes)
 *   entries                  L
 *   entries, each:
 *     flags                    1     version 1
 *     name of the file         NUL   ".": this file; flags bit 0: L, the entry that has it; flags bit 2: nothing, this file
 *     path of the dataset      NUL   flags bit 1: L, the entry that has it
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
  if (version > 1) throw unknownVersion(cursor, "virtual dataset's list of sources", version, "0 or 1");
  const entries = file.length(cursor);
  const mappings: VirtualMapping[] = [];
  for (let entry = 0; entry < entries; entry++) {
    const flags = version === 0 ? 0 : cursor.u8();
    const earlier = (): VirtualMapping => {
      const mapping = mappings[file.length(cursor)];
      if (mapping === undefined)
        throw cursor.malformed("a source of a virtual dataset has the name of one that is not before it");
      return mapping;
    };
    const name = (): string => decodeText(cursor.untilNul());
    const fileName = (flags & THIS_FILE) !== 0 ? "." : (flags & SAME_FILE) !== 0 ? earlier().fileName : name();
    const path = (flags & SAME_PATH) !== 0 ? earlier().path : name();
    mappings.push({ fileName, path, source: readSelection(cursor), own: readSelection(cursor) });
  }
  verifyChecksum(cursor, cursor.base, "virtual dataset's list of sources");
  return mappings;
}

const SAME_FILE = 0x01;
const SAME_PATH = 0x02;
const THIS_FILE = 0x04;
