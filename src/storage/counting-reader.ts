import type { RangeReader } from "./range-reader.ts";

/** A reader that says what was asked of it so far. */
export interface CountingReader extends RangeReader {
  /** Reads, successful or not. */
  readonly requests: number;
  /** Bytes that the reads delivered. */
  readonly bytes: number;
  /** The longest chain of reads each of which began after the one before had been answered: round trips, where the source is remote. */
  readonly roundTrips: number;
}

/** The same source with counters. What they count depends on what they stand in front of: a cache, or the source itself. */
export function withCounters(reader: RangeReader): CountingReader {
  let requests = 0;
  let bytes = 0;
  let roundTrips = 0;
  return {
    uri: reader.uri,
    size: reader.size,
    identity: reader.identity,
    ...(reader.isWithoutRanges === undefined ? {} : { isWithoutRanges: reader.isWithoutRanges }),
    get requests() {
      return requests;
    },
    get bytes() {
      return bytes;
    },
    get roundTrips() {
      return roundTrips;
    },
    async read(offset, length, signal) {
      requests++;
      const chain = roundTrips + 1;
      try {
        const read = await reader.read(offset, length, signal);
        bytes += read.length;
        return read;
      } finally {
        roundTrips = Math.max(roundTrips, chain);
      }
    },
    close: () => reader.close(),
  };
}
