import type { Header } from "./header.ts";
import type { Variable } from "./variable-list.ts";

/**
 * Where records lie (NetCDF Classic Format Specification, "Note on vsize", "Note on padding"). Record `r` of a record
 * variable is at `begin + r * recordBytes`: the records of all record variables are interleaved,
 *
 *     record 0: variable a, padding to 4; variable b, padding to 4; …
 *     record 1: …
 *
 * A single record variable is not padded, which matters for types of 1 and 2 bytes.
 */
export interface RecordLayout {
  /** Number of records. */
  readonly count: number;
  /** From one record to the next; 0 if there is no record variable. */
  readonly recordBytes: number;
}

export function recordLayout(header: Header, fileSize: number): RecordLayout {
  const recordVariables = header.variables.filter((variable) => variable.isRecord);
  const [first] = recordVariables;
  if (first === undefined) return { count: header.recordCount === "streaming" ? 0 : header.recordCount, recordBytes: 0 };
  const recordBytes =
    recordVariables.length === 1 ? first.bytes : recordVariables.reduce((sum, { bytes }) => sum + Math.ceil(bytes / 4) * 4, 0);
  const count = header.recordCount === "streaming" ? wholeRecords(recordVariables, recordBytes, fileSize) : header.recordCount;
  return { count, recordBytes };
}

/** How many records every variable has in full; the padding behind the last one may be absent. */
function wholeRecords(variables: readonly Variable[], recordBytes: number, fileSize: number): number {
  const counts = variables.map(({ begin, bytes }) => Math.floor((fileSize - begin - bytes) / recordBytes) + 1);
  return Math.max(0, Math.min(...counts));
}

/** Where the values of the last variable end, padding aside: a file whose writer has closed it is as long. Records of a stream count as far as they are there. */
export function dataEnd(header: Header, fileSize: number): number {
  const { count, recordBytes } = recordLayout(header, fileSize);
  const ends = header.variables.map(({ isRecord, begin, bytes }) => {
    if (!isRecord) return begin + bytes;
    return count === 0 ? header.length : begin + (count - 1) * recordBytes + bytes;
  });
  return Math.max(header.length, ...ends);
}
