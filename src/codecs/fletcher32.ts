import { FreshetError } from "../errors/index.ts";

/** Bytes that the fletcher32 filter puts behind the data. */
export const FLETCHER32_BYTES = 4;

/** The bytes before HDF5's Fletcher-32 checksum, which is the last four, little-endian. @throws FreshetError `malformed` if it does not match. */
export function withoutFletcher32(bytes: Uint8Array): Uint8Array {
  if (bytes.length < FLETCHER32_BYTES) throw new FreshetError("malformed", "fletcher32: no room for the checksum");
  const data = bytes.subarray(0, bytes.length - FLETCHER32_BYTES);
  const [a, b, c, d] = bytes.subarray(bytes.length - FLETCHER32_BYTES) as unknown as [number, number, number, number];
  const stored = ((d << 24) | (c << 16) | (b << 8) | a) >>> 0;
  // Before 1.6.3 the library stored the bytes of each half in the other order.
  const storedOld = ((c << 24) | (d << 16) | (a << 8) | b) >>> 0;
  const computed = fletcher32(data);
  if (stored !== computed && storedOld !== computed) {
    throw new FreshetError("malformed", "fletcher32: the checksum does not match", {
      found: hex(stored),
      expected: hex(computed),
    });
  }
  return data;
}

/** The bytes with their checksum behind them. */
export function withFletcher32(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + FLETCHER32_BYTES);
  bytes.set(data);
  new DataView(bytes.buffer).setUint32(data.length, fletcher32(data), true);
  return bytes;
}

/** Over big-endian 16-bit words, an odd last byte being the upper half of one. */
export function fletcher32(data: Uint8Array): number {
  let sum1 = 0;
  let sum2 = 0;
  for (let at = 0; at < data.length; at += 2) {
    sum1 += ((data[at] as number) << 8) | (data[at + 1] ?? 0);
    sum1 = (sum1 & 0xffff) + (sum1 >>> 16);
    sum2 += sum1;
    sum2 = (sum2 & 0xffff) + (sum2 >>> 16);
  }
  return ((sum2 << 16) | sum1) >>> 0;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
