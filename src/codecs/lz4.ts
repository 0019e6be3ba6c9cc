import { FreshetError } from "../errors/index.ts";

/**
 * Decodes one LZ4 block (lz4_Block_format.md) to exactly `length` bytes: sequences of a token (literals in the upper four bits, length of
 * the match less 4 in the lower), literals, and how far back the match begins; 15 in either half goes on in bytes until one is not 255.
 * @throws FreshetError `malformed` when it decodes to another length.
 */
export function unlz4Block(bytes: Uint8Array, length: number): Uint8Array {
  const decoded = new Uint8Array(length);
  let to = 0;
  let at = 0;
  const more = (count: number): number => {
    let total = count;
    if (count < 15) return total;
    for (;;) {
      const byte = bytes[at++];
      if (byte === undefined) throw broken(length);
      total += byte;
      if (byte !== 255) return total;
    }
  };
  while (at < bytes.length) {
    const token = bytes[at++] as number;
    const literals = more(token >> 4);
    if (at + literals > bytes.length || to + literals > length) throw broken(length);
    decoded.set(bytes.subarray(at, at + literals), to);
    at += literals;
    to += literals;
    // The last sequence has literals alone.
    if (at === bytes.length) break;
    const back = (bytes[at] as number) | ((bytes[at + 1] ?? 0) << 8);
    at += 2;
    const count = more(token & 0x0f) + 4;
    if (back === 0 || back > to || to + count > length) throw broken(length);
    for (let end = to + count; to < end; to++) decoded[to] = decoded[to - back] as number;
  }
  if (to !== length) throw broken(length);
  return decoded;
}

/**
 * Decodes a chunk of HDF5's lz4 filter (32004), all numbers big-endian: bytes decoded 8, bytes of a block 4, then for each block its
 * stored bytes 4 and an LZ4 block, or the bytes as they are where that is no longer. `most` bounds the decoded bytes.
 * @throws FreshetError `malformed`.
 */
export function unlz4Chunk(bytes: Uint8Array, most: number): Uint8Array {
  const { length, blockBytes } = readBlockHeader(bytes, most);
  const decoded = new Uint8Array(length);
  let at = BLOCK_HEADER_BYTES;
  for (let start = 0; start < length; start += blockBytes) {
    const inBlock = Math.min(blockBytes, length - start);
    const stored = takeBlock(bytes, at);
    decoded.set(stored.length === inBlock ? stored : unlz4Block(stored, inBlock), start);
    at += 4 + stored.length;
  }
  return decoded;
}

export const BLOCK_HEADER_BYTES = 12;

/** The header that the lz4 and bitshuffle filters share: bytes decoded 8, bytes of a block 4, big-endian. */
export function readBlockHeader(bytes: Uint8Array, most: number): { readonly length: number; readonly blockBytes: number } {
  if (bytes.length < BLOCK_HEADER_BYTES) throw new FreshetError("malformed", "a chunk in blocks has no header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, BLOCK_HEADER_BYTES);
  const length = view.getUint32(0) * 2 ** 32 + view.getUint32(4);
  const blockBytes = view.getUint32(8);
  if (length > most || blockBytes === 0) {
    throw new FreshetError("malformed", "a chunk is larger than its elements, or its blocks are empty", {
      found: `${length} bytes in blocks of ${blockBytes}`,
      expected: `${most} bytes`,
    });
  }
  return { length, blockBytes };
}

/** The stored bytes of the block at `at`, behind their number. */
export function takeBlock(bytes: Uint8Array, at: number): Uint8Array {
  const stored = at + 4 <= bytes.length ? new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0) : undefined;
  if (stored === undefined || at + 4 + stored > bytes.length) {
    throw new FreshetError("malformed", "the blocks of a chunk end too early", { found: `${bytes.length} bytes` });
  }
  return bytes.subarray(at + 4, at + 4 + stored);
}

function broken(length: number): FreshetError {
  return new FreshetError("malformed", `a block is not lz4 data of ${length} bytes`);
}
