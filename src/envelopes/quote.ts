import { MAX_QUOTED_CHARACTERS } from "./limits.ts";

const ROOM = MAX_QUOTED_CHARACTERS - '"…"'.length;

/** A text from outside as a reason may show it: short, on one line, without what may be a secret (what stands before an @ or after a ?). */
export function quote(text: string): string {
  const plain = text
    .slice(0, 4 * MAX_QUOTED_CHARACTERS)
    .replace(/\/\/[^/]*@/g, "//…@")
    .replace(/\?.*/s, "?…")
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they would break the line of a log
    .replace(/["\\\x00-\x1f\x7f-\x9f\u2028\u2029]/g, "·");
  return plain.length > ROOM ? `"${plain.slice(0, ROOM)}…"` : `"${plain}"`;
}
