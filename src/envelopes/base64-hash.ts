/** A hash in base64 as hexadecimal; undefined for what is not exactly `bytes` bytes in base64. */
export function hexOfBase64(text: string, bytes: number): string | undefined {
  const decoded = Buffer.from(text, "base64");
  return decoded.length === bytes && decoded.toString("base64") === text.trim() ? decoded.toString("hex") : undefined;
}
