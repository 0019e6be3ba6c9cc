import type { ByteCursor } from "../../byte-cursor.ts";
import { type Hdf5File, unknownVersion } from "../hdf5-file.ts";

/**
 * File space info message, type 0x17 (HDF5 File Format Specification, IV.A.2.x).
 *
 * Version 0                        Version 1
 *   version               1          version                1
 *   strategy              1          strategy               1
 *   free-space threshold  L          free space persists    1
 *   free-space managers   6 × O (*)  free-space threshold   L
 *                                    page size              L
 *                                    page end threshold     2
 *                                    end of the space       O
 *                                    free-space managers    12 × O   if free space persists
 *
 * (*) if the strategy is 1. A reader needs nothing of it. It is read so that a damaged superblock extension is noticed.
 */
export function checkFileSpaceInfo(file: Hdf5File, cursor: ByteCursor): void {
  const { offsetSize, lengthSize } = file.superblock;
  const version = cursor.u8();
  const strategy = cursor.u8();
  switch (version) {
    case 0:
      cursor.skip(lengthSize + (strategy === ALL_PERSIST ? 6 * offsetSize : 0));
      return;
    case 1: {
      const persists = cursor.u8() !== 0;
      cursor.skip(2 * lengthSize + 2 + offsetSize + (persists ? 12 * offsetSize : 0));
      return;
    }
    default:
      throw unknownVersion(cursor, "file space info", version, "0 or 1");
  }
}

const ALL_PERSIST = 1;
