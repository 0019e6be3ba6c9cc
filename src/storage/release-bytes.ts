/**
 * Gives back the memory of a piece that nobody needs any more, where it is all of its buffer. Left to the garbage collector, pieces of 64 KiB call for a
 * full collection at every 50 MB.
 */
export function releaseBytes(piece: Uint8Array): void {
  const { buffer, byteLength } = piece;
  if (byteLength === buffer.byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
