const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes as text: UTF-8, or Latin-1 where they are not UTF-8 (HDF5 files carry either under the name of ASCII). */
export function decodeText(bytes: Uint8Array): string {
  try {
    return STRICT.decode(bytes);
  } catch {
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return text;
  }
}

/** How a stored string that is shorter than its room ends. */
export type StringPadding = "nul-terminated" | "nul-padded" | "space-padded";

/** The bytes of a stored string without its padding. */
export function withoutPadding(bytes: Uint8Array, padding: StringPadding): Uint8Array {
  switch (padding) {
    case "nul-terminated": {
      const end = bytes.indexOf(0);
      return end < 0 ? bytes : bytes.subarray(0, end);
    }
    case "nul-padded":
      return withoutTrailing(bytes, 0x00);
    case "space-padded":
      return withoutTrailing(bytes, 0x20);
  }
}

function withoutTrailing(bytes: Uint8Array, byte: number): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === byte) end--;
  return bytes.subarray(0, end);
}
