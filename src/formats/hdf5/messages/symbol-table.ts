import type { ByteCursor } from "../../byte-cursor.ts";
import type { Hdf5File } from "../hdf5-file.ts";

/**
 * Symbol table message, type 0x11 (HDF5 File Format Specification, IV.A.2.r).
 *
 *   version 1 B-tree   O
 *   local heap         O
 */
export interface SymbolTable {
  readonly btreeAddress: number;
  readonly heapAddress: number;
}

/** Reads the message's body. */
export function readSymbolTable(file: Hdf5File, cursor: ByteCursor): SymbolTable {
  return {
    btreeAddress: file.requiredAddress(cursor, "B-tree of a group"),
    heapAddress: file.requiredAddress(cursor, "local heap of a group"),
  };
}
