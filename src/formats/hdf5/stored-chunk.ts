import { FreshetError } from "../../errors/index.ts";
import { FILTER, FLETCHER32_BYTES } from "./codec-pipeline.ts";
import { inflate } from "./inflate.ts";
import type { Filter } from "./messages/filter-pipeline.ts";

/**
 * The elements of a stored chunk of `length` bytes unpacked. Only what is inlined is unpacked here, and only with the filters that
 * text of variable length is met with. @throws FreshetError `unsupported` for others.
 */
export async function unpackChunk(stored: Uint8Array, filters: readonly Filter[], length: number): Promise<Uint8Array> {
  let bytes = stored;
  for (const { id, name, values } of filters.toReversed()) {
    switch (id) {
      case FILTER.deflate:
        bytes = await inflate(bytes, length + FLETCHER32_BYTES * filters.length);
        break;
      case FILTER.shuffle:
        bytes = unshuffle(bytes, values[0] ?? 1);
        break;
      case FILTER.fletcher32:
        bytes = bytes.subarray(0, Math.max(0, bytes.length - FLETCHER32_BYTES));
        break;
      default:
        throw new FreshetError("unsupported", `text of variable length behind filter ${id}${name === "" ? "" : ` (${name})`}`);
    }
  }
  if (bytes.length < length) {
    throw new FreshetError("malformed", "a chunk is shorter than its elements", {
      found: `${bytes.length} bytes`,
      expected: `${length} bytes`,
    });
  }
  return bytes;
}

/** Puts the bytes of each element together again: they are stored first bytes first, then second bytes, … */
function unshuffle(bytes: Uint8Array, elementSize: number): Uint8Array {
  if (elementSize <= 1) return bytes;
  const elements = Math.floor(bytes.length / elementSize);
  const whole = new Uint8Array(bytes);
  for (let byte = 0; byte < elementSize; byte++) {
    for (let element = 0; element < elements; element++)
      whole[element * elementSize + byte] = bytes[byte * elements + element] as number;
  }
  return whole;
}
