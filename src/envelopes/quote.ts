import { MAX_QUOTED_CHARACTERS } from "./limits.ts";

/** As much as is looked at: a secret is only known by the @ that follows it. */
const LOOKED_AT_CHARACTERS = 2_048;
const ROOM = MAX_QUOTED_CHARACTERS - '"…"'.length;

/** A text from outside as a reason may show it: short, on one line, without what may be a secret (what stands before an @ or after a ?). */
export function quote(text: string): string {
  const plain = withoutUser(text.slice(0, LOOKED_AT_CHARACTERS))
    .replace(/\?.*/s, "?…")
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they would break the line of a log
    .replace(/["\\\x00-\x1f\x7f-\x9f\u2028\u2029]/g, "·");
  return plain.length > ROOM ? `"${plain.slice(0, ROOM)}…"` : `"${plain}"`;
}

/** Without all that stands between the first `//` and the last `@`: a password may have slashes in it. */
function withoutUser(text: string): string {
  const from = text.indexOf("//") + 2;
  const to = text.lastIndexOf("@");
  return from > 1 && to >= from ? `${text.slice(0, from)}…${text.slice(to)}` : text;
}
