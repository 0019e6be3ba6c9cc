import type { ByteCursor } from "../../byte-cursor.ts";
import { unknownVersion } from "../hdf5-file.ts";
import { decodeText } from "../text.ts";

/**
 * Filter pipeline message, type 0x0B (HDF5 File Format Specification, IV.A.2.l).
 *
 * Version 1                              Version 2
 *   version               1                version               1
 *   number of filters     1                number of filters     1
 *   reserved              6                filters
 *   filters
 * Filter
 *   identification        2
 *   length of name        2   version 2: only from identification 256 on
 *   flags                 2
 *   number of values      2
 *   name                      version 1: padded to a multiple of 8
 *   client values         4 each
 *   padding               4   version 1, if their number is odd
 */
export interface Filter {
  readonly id: number;
  /** May be empty. */
  readonly name: string;
  /** What the filter was set up with; the meaning is the filter's own. */
  readonly values: readonly number[];
}

/** The format's own limit (H5Z_MAX_NFILTERS). */
const MAX_FILTERS = 32;

/** Reads the filters in the order in which they are applied when a chunk is written. */
export function readFilterPipeline(cursor: ByteCursor): readonly Filter[] {
  const version = cursor.u8();
  const count = cursor.u8();
  if (version !== 1 && version !== 2) throw unknownVersion(cursor, "filter pipeline", version, "1 or 2");
  if (count > MAX_FILTERS) throw cursor.malformed("a pipeline has too many filters", `${count}`, `at most ${MAX_FILTERS}`);
  if (version === 1) cursor.skip(6);
  const filters: Filter[] = [];
  for (let index = 0; index < count; index++) filters.push(readFilter(cursor, version));
  return filters;
}

function readFilter(cursor: ByteCursor, version: 1 | 2): Filter {
  const id = cursor.u16();
  const nameLength = version === 1 || id >= 256 ? cursor.u16() : 0;
  cursor.skip(2);
  const valueCount = cursor.u16();
  const name = cursor.take(nameLength);
  if (version === 1) cursor.skip(-nameLength & 7);
  const values: number[] = [];
  for (let index = 0; index < valueCount; index++) values.push(cursor.u32());
  if (version === 1 && valueCount % 2 === 1) cursor.skip(4);
  const end = name.indexOf(0);
  return { id, name: decodeText(end < 0 ? name : name.subarray(0, end)), values };
}
