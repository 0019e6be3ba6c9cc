import { FreshetError } from "../errors/index.ts";

/**
 * Decompresses zlib data. @throws FreshetError `malformed` for data that are none, and beyond `most` bytes.
 */
export async function inflate(bytes: Uint8Array, most: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream("deflate"));
    for await (const part of stream) {
      length += part.length;
      if (length > most) break;
      parts.push(part);
    }
  } catch (cause) {
    throw new FreshetError("malformed", "a chunk is not zlib data", { cause });
  }
  if (length > most) {
    throw new FreshetError("malformed", "a chunk is larger than its elements", {
      found: `${length} bytes`,
      expected: `${most} bytes`,
    });
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
