import type { ByteCursor } from "../byte-cursor.ts";

/**
 * Bob Jenkins' lookup3 (hashlittle, initial value 0), the checksum of every structure that carries one.
 * HDF5 File Format Specification, "metadata checksum".
 */
export function lookup3(bytes: Uint8Array, start: number, length: number): number {
  let a = (0xdeadbeef + length) | 0;
  let b = a;
  let c = a;
  let at = start;
  let left = length;
  while (left > 12) {
    a = (a + word(bytes, at)) | 0;
    b = (b + word(bytes, at + 4)) | 0;
    c = (c + word(bytes, at + 8)) | 0;
    a = (a - c) ^ rotate(c, 4);
    c = (c + b) | 0;
    b = (b - a) ^ rotate(a, 6);
    a = (a + c) | 0;
    c = (c - b) ^ rotate(b, 8);
    b = (b + a) | 0;
    a = (a - c) ^ rotate(c, 16);
    c = (c + b) | 0;
    b = (b - a) ^ rotate(a, 19);
    a = (a + c) | 0;
    c = (c - b) ^ rotate(b, 4);
    b = (b + a) | 0;
    at += 12;
    left -= 12;
  }
  if (left === 0) return c >>> 0;
  a = (a + tail(bytes, at, left)) | 0;
  b = (b + tail(bytes, at + 4, left - 4)) | 0;
  c = (c + tail(bytes, at + 8, left - 8)) | 0;
  c = (c ^ b) - rotate(b, 14);
  a = (a ^ c) - rotate(c, 11);
  b = (b ^ a) - rotate(a, 25);
  c = (c ^ b) - rotate(b, 16);
  a = (a ^ c) - rotate(c, 4);
  b = (b ^ a) - rotate(a, 14);
  c = (c ^ b) - rotate(b, 24);
  return c >>> 0;
}

/**
 * Reads the four bytes of a checksum at the cursor and compares them with that of all bytes from `start` (an absolute position) to
 * the cursor. @throws FreshetError `malformed` naming `structure`.
 */
export function verifyChecksum(cursor: ByteCursor, start: number, structure: string): void {
  const computed = lookup3(cursor.bytes, start - cursor.base, cursor.position - start);
  const stored = cursor.u32();
  if (stored !== computed) {
    cursor.seek(cursor.position - 4);
    throw cursor.malformed(`the checksum of the ${structure} is wrong`, hex(stored), hex(computed));
  }
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** Up to four bytes of the rest as a little-endian word; bytes that are not there count as zero. */
function tail(bytes: Uint8Array, at: number, left: number): number {
  let value = 0;
  for (let index = Math.min(left, 4) - 1; index >= 0; index--) value = (value << 8) | (bytes[at + index] as number);
  return value;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
