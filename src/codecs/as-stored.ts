/*
 * Forms in which compressed formats hold bytes that they could not make shorter: any reader of the format decodes them.
 */

/** Most bytes of a stored block of deflate (RFC 1951, 3.2.4). */
const DEFLATE_BLOCK_BYTES = 0xffff;

/** A zlib stream (RFC 1950) of stored blocks. */
export function asZlib(data: Uint8Array): Uint8Array {
  const blocks = Math.max(1, Math.ceil(data.length / DEFLATE_BLOCK_BYTES));
  const stream = new Uint8Array(2 + data.length + 5 * blocks + 4);
  const view = new DataView(stream.buffer);
  view.setUint16(0, 0x7801);
  let at = 2;
  for (let block = 0; block < blocks; block++) {
    const part = data.subarray(block * DEFLATE_BLOCK_BYTES, (block + 1) * DEFLATE_BLOCK_BYTES);
    view.setUint8(at, block === blocks - 1 ? 1 : 0);
    view.setUint16(at + 1, part.length, true);
    view.setUint16(at + 3, ~part.length & 0xffff, true);
    stream.set(part, at + 5);
    at += 5 + part.length;
  }
  view.setUint32(at, adler32(data));
  return stream;
}

function adler32(data: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let at = 0; at < data.length; ) {
    // So many sums of bytes stay below 2^32.
    const end = Math.min(at + 5552, data.length);
    for (; at < end; at++) {
      a += data[at] as number;
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  return b * 65536 + a;
}

/** Most bytes of a block of a zstd frame (RFC 8878, 3.1.1.2.4). */
const ZSTD_BLOCK_BYTES = 2 ** 17;

/** A zstd frame (RFC 8878) of raw blocks that says its length. */
export function asZstd(data: Uint8Array): Uint8Array {
  const blocks = Math.max(1, Math.ceil(data.length / ZSTD_BLOCK_BYTES));
  const frame = new Uint8Array(13 + data.length + 3 * blocks);
  const view = new DataView(frame.buffer);
  view.setUint32(0, 0xfd2fb528, true);
  // A single segment, its length in eight bytes.
  view.setUint8(4, 0xe0);
  view.setBigUint64(5, BigInt(data.length), true);
  let at = 13;
  for (let block = 0; block < blocks; block++) {
    const part = data.subarray(block * ZSTD_BLOCK_BYTES, (block + 1) * ZSTD_BLOCK_BYTES);
    const head = (part.length << 3) | (block === blocks - 1 ? 1 : 0);
    view.setUint16(at, head & 0xffff, true);
    view.setUint8(at + 2, head >> 16);
    frame.set(part, at + 3);
    at += 3 + part.length;
  }
  return frame;
}

/** A Blosc 1 frame (README_HEADER.rst) whose data are copied. `typeSize` is 1 to 255. */
export function asBlosc(data: Uint8Array, typeSize: number): Uint8Array {
  const frame = new Uint8Array(16 + data.length);
  const view = new DataView(frame.buffer);
  // Version of the format, version of the compressor, flags: copied, size of an element.
  frame.set([2, 1, 0x02, Math.min(Math.max(typeSize, 1), 255)]);
  view.setUint32(4, data.length, true);
  view.setUint32(8, data.length, true);
  view.setUint32(12, frame.length, true);
  frame.set(data, 16);
  return frame;
}
