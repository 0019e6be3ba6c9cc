import { FreshetError } from "../errors/index.ts";

/**
 * Decodes a chunk of the lzf filter (32000; Marc Lehmann's LibLZF) to at most `most` bytes.
 *
 *   000lllll                      l + 1 bytes follow as they are
 *   lllooooo oooooooo             l + 2 bytes again, from o + 1 bytes back
 *   111ooooo llllllll oooooooo    l + 9 bytes again, from o + 1 bytes back
 *
 * @throws FreshetError `malformed`.
 */
export function unlzf(bytes: Uint8Array, most: number): Uint8Array {
  const decoded = new Uint8Array(most);
  let to = 0;
  let at = 0;
  while (at < bytes.length) {
    const control = bytes[at++] as number;
    if (control < 32) {
      const count = control + 1;
      if (at + count > bytes.length || to + count > most) throw broken(most);
      decoded.set(bytes.subarray(at, at + count), to);
      at += count;
      to += count;
      continue;
    }
    let count = (control >> 5) + 2;
    if (count === 9) count += bytes[at++] ?? 0;
    const back = ((control & 0x1f) << 8) + (bytes[at++] ?? 0) + 1;
    if (at > bytes.length || back > to || to + count > most) throw broken(most);
    // One by one: the copy may reach into itself.
    for (let end = to + count; to < end; to++) decoded[to] = decoded[to - back] as number;
  }
  return decoded.subarray(0, to);
}

function broken(most: number): FreshetError {
  return new FreshetError("malformed", `a chunk is not lzf data of at most ${most} bytes`);
}
