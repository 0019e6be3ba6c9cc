/** Small reads are made in blocks of this, at multiples of it. */
export const BLOCK_BYTES = 64 * 1024;

/** What is asked for where `length` bytes from `offset` are needed: small reads become whole blocks, large ones stay as they are. */
export function requestFor(offset: number, length: number, size: number): { readonly offset: number; readonly length: number } {
  if (length >= BLOCK_BYTES) return { offset, length };
  const start = Math.floor(offset / BLOCK_BYTES) * BLOCK_BYTES;
  const end = Math.min(size, Math.ceil((offset + length) / BLOCK_BYTES) * BLOCK_BYTES);
  return { offset: start, length: end - start };
}
