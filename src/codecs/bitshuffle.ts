import { FreshetError } from "../errors/index.ts";
import { BLOCK_HEADER_BYTES, readBlockHeader, takeBlock, unlz4Block } from "./lz4.ts";
import { unzstd } from "./zstd.ts";

/** Blocks of about this many bytes, unless the filter names another number of elements; a multiple of eight, and 128 at least. */
const BLOCK_BYTES = 8192;
const LEAST_ELEMENTS = 128;

/**
 * Decodes a chunk of the bitshuffle filter (32008). In each block of elements, the bits are sorted: first the lowest bit of the first byte
 * of every element, and so on. What is left over behind the last multiple of eight elements is stored as it is.
 * `values` are the filter's client values: version 2, bytes of an element, elements of a block (0: about 8 kB), compression (0 none,
 * 2 lz4, 3 zstd; with either, numbers as in the lz4 filter stand before the chunk and each block). `most` bounds the decoded bytes.
 * @throws FreshetError `malformed`.
 */
export async function unbitshuffle(bytes: Uint8Array, values: readonly number[], most: number): Promise<Uint8Array> {
  const size = values[2] ?? 0;
  const compression = values[4] ?? 0;
  if (size === 0 || size > most || ![0, 2, 3].includes(compression)) {
    throw new FreshetError("malformed", "the bitshuffle filter has impossible parameters", {
      found: `elements of ${size} bytes, compression ${compression}`,
    });
  }
  const { length, blockBytes } =
    compression === 0
      ? { length: bytes.length, blockBytes: size * blockElements(size, values[3] ?? 0) }
      : readBlockHeader(bytes, most);
  const perBlock = Math.floor(blockBytes / size);
  if (perBlock === 0 || perBlock % 8 !== 0) {
    throw new FreshetError("malformed", "a block of the bitshuffle filter is no multiple of eight elements", {
      found: `${perBlock}`,
    });
  }
  const decoded = new Uint8Array(length);
  const shuffled = 8 * Math.floor(length / size / 8);
  let at = compression === 0 ? 0 : BLOCK_HEADER_BYTES;
  for (let first = 0; first < shuffled; first += perBlock) {
    const elements = Math.min(perBlock, shuffled - first);
    const into = decoded.subarray(first * size, (first + elements) * size);
    if (compression === 0) {
      unshuffleBits(bytes.subarray(at, at + into.length), elements, size, into);
      at += into.length;
    } else {
      const stored = takeBlock(bytes, at);
      const block = compression === 2 ? unlz4Block(stored, into.length) : await unzstd(stored, into.length);
      if (block.length !== into.length) throw new FreshetError("malformed", "a block of a bitshuffle chunk has the wrong length");
      unshuffleBits(block, elements, size, into);
      at += 4 + stored.length;
    }
  }
  const rest = decoded.subarray(shuffled * size);
  if (at + rest.length > bytes.length) throw new FreshetError("malformed", "the bits of a bitshuffle chunk end too early");
  rest.set(bytes.subarray(at, at + rest.length));
  return decoded;
}

function blockElements(size: number, named: number): number {
  if (named !== 0) return named;
  return Math.max(LEAST_ELEMENTS, 8 * Math.floor(BLOCK_BYTES / size / 8));
}

/** Row 8 × byte + bit of the stored block has that bit of every element, eight elements a byte, the first in the lowest bit. */
function unshuffleBits(stored: Uint8Array, elements: number, size: number, into: Uint8Array): void {
  const row = elements / 8;
  for (let byte = 0; byte < size; byte++) {
    for (let bit = 0; bit < 8; bit++) {
      const start = (8 * byte + bit) * row;
      for (let eight = 0; eight < row; eight++) {
        const bits = stored[start + eight] as number;
        if (bits === 0) continue;
        for (let one = 0; one < 8; one++) {
          if ((bits & (1 << one)) === 0) continue;
          const index = (8 * eight + one) * size + byte;
          into[index] = (into[index] as number) | (1 << bit);
        }
      }
    }
  }
}
