import type { RangeReader } from "../storage/index.ts";

const PART_BYTES = 4 * 1024 * 1024;

/** All of a source from `offset` on, in one request where its reader has streams. @throws as the reader. */
export function wholePieces(reader: RangeReader, offset: number, signal: AbortSignal): AsyncIterable<Uint8Array> {
  return reader.stream?.(offset, signal) ?? inParts(reader, offset, signal);
}

async function* inParts(reader: RangeReader, offset: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for (let at = offset; at < reader.size; at += PART_BYTES)
    yield await reader.read(at, Math.min(PART_BYTES, reader.size - at), signal);
}
