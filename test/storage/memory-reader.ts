import { requireInside } from "../../src/storage/file-reader.ts";
import type { RangeReader } from "../../src/storage/index.ts";

/** A source in memory. It gives copies, as a source does, and refuses to read beyond its end. */
export function memoryReader(bytes: Uint8Array, uri = "memory:test"): RangeReader {
  const reader: RangeReader = {
    uri,
    size: bytes.length,
    identity: { size: bytes.length },
    read: async (offset, length, signal) => {
      signal?.throwIfAborted();
      requireInside(reader, offset, length);
      return bytes.slice(offset, offset + length);
    },
    close: async () => {},
  };
  return reader;
}
