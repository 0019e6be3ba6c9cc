/**
 * A chunk of variable-length text as the codec `vlen-utf8` stores it: the number of items, then each item's length in bytes
 * and its UTF-8 bytes; counts are 32-bit little-endian (numcodecs, "VLenUTF8").
 */
export function encodeTexts(texts: readonly string[]): Uint8Array {
  const parts: Buffer[] = [uint32(texts.length)];
  for (const text of texts) {
    const bytes = Buffer.from(text, "utf8");
    parts.push(uint32(bytes.length), bytes);
  }
  return Buffer.concat(parts);
}

/** The texts of one chunk. @throws RangeError when the bytes end too early. */
export function decodeTexts(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: string[] = [];
  let at = 4;
  for (let count = buffer.readUInt32LE(0); count > 0; count--) {
    const length = buffer.readUInt32LE(at);
    if (at + 4 + length > buffer.length) throw new RangeError(`a text of ${length} bytes ends behind its chunk`);
    texts.push(buffer.toString("utf8", at + 4, at + 4 + length));
    at += 4 + length;
  }
  return texts;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
