import { FreshetError } from "../../errors/index.ts";
import type { RangeReader } from "../../storage/range-reader.ts";
import type { Attributes } from "../../virtual/index.ts";
import { readAttributeList } from "./attribute-list.ts";
import { type Dimension, readDimensionList } from "./dimension-list.ts";
import { HeaderCursor, MoreBytesNeeded } from "./header-cursor.ts";
import { readVariableList, type Variable } from "./variable-list.ts";

/**
 * The header (NetCDF Classic Format Specification, "The Format in Detail"):
 *
 *     magic      4 bytes   "CDF" and the version: 1 classic, 2 64-bit offset, 5 64-bit data
 *     numrecs    NON_NEG   all ones: streaming, to be computed from the size of the file
 *     dim_list, gatt_list, var_list
 */
export interface Header {
  readonly version: 1 | 2 | 5;
  readonly recordCount: number | "streaming";
  readonly dimensions: readonly Dimension[];
  readonly attributes: Attributes;
  readonly variables: readonly Variable[];
  /** Bytes of the header: no variable begins before. */
  readonly length: number;
}

/** A header with 1000 variables of 20 attributes each has about 1 MB; the largest of the project's corpus has 50 kB. */
const HEADER_LIMIT = 64 * 1024 * 1024;
/** Holds 48 of the 50 headers of the project's corpus. */
const FIRST_READ = 32 * 1024;

/**
 * Reads the header, as much of the file as it takes.
 * @throws FreshetError `unknown-format`, `malformed`, `truncated`; `unsupported` for a header of more than 64 MiB.
 */
export async function readHeader(reader: RangeReader, signal?: AbortSignal): Promise<Header> {
  let bytes = await reader.read(0, Math.min(FIRST_READ, reader.size), signal);
  for (;;) {
    try {
      return parseHeader(bytes, reader.uri, reader.size);
    } catch (error) {
      if (!(error instanceof MoreBytesNeeded)) throw error;
      // Four times as much each time, so that parsing again from the start stays cheap.
      const wanted = Math.min(reader.size, Math.max(error.length, bytes.length * 4));
      if (error.length > HEADER_LIMIT)
        throw new FreshetError("unsupported", "the NetCDF header is too large", {
          found: `at least ${error.length} bytes`,
          expected: `at most ${HEADER_LIMIT}`,
          uri: reader.uri,
        });
      const more = await reader.read(bytes.length, wanted - bytes.length, signal);
      const joined = new Uint8Array(wanted);
      joined.set(bytes);
      joined.set(more, bytes.length);
      bytes = joined;
    }
  }
}

function parseHeader(bytes: Uint8Array, uri: string, fileSize: number): Header {
  const version = versionOf(bytes, uri);
  const cursor = new HeaderCursor(bytes, { uri, fileSize, version });
  cursor.skip(4);
  const recordCount = cursor.recordCount();
  const dimensions = readDimensionList(cursor);
  const attributes = readAttributeList(cursor, "the file");
  const variables = readVariableList(cursor, dimensions);
  return { version, recordCount, dimensions, attributes, variables, length: cursor.position };
}

function versionOf(bytes: Uint8Array, uri: string): 1 | 2 | 5 {
  const version = bytes[3];
  const isCdf = bytes[0] === 0x43 && bytes[1] === 0x44 && bytes[2] === 0x46;
  if (isCdf && (version === 1 || version === 2 || version === 5)) return version;
  throw new FreshetError("unknown-format", "not a NetCDF classic file", {
    found: Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ") || "an empty file",
    expected: '"CDF" and version 1, 2 or 5',
    uri,
    offset: 0,
  });
}
