import type { Reading, Told } from "./envelope.ts";
import { type Entry, entryOf, malformed, readingOf } from "./outcome.ts";
import { quote } from "./quote.ts";
import { parseParts } from "./sarracenia-parts.ts";
import { placeOfFile } from "./sarracenia-path.ts";
import { checksumOfSum } from "./sarracenia-sum.ts";

const BODY = /^\s*(\d{14}(?:\.\d{1,20})?)\s+(\S+)\s+(\S+)(?:\s|$)/;

/** Letters of `sum` for what is no file, and what it is. */
const NO_FILES: Readonly<Record<string, string>> = {
  L: "a symbolic link; what it points to is announced by itself",
  m: "a folder that was made",
  r: "a folder that was removed",
};

/**
 * Sarracenia's older form: the body `YYYYMMDDHHMMSS.f baseUrl relPath`, facts in headers (`sum`, `parts`, `oldname`). The header
 * `rename` says how a downloaded file is to be called, and is nothing to us. Undefined when the text is not of this form.
 */
export function readSarraceniaV02(text: string, attributes: Readonly<Record<string, string>>): Reading | undefined {
  const matched = BODY.exec(text);
  if (matched === null) return undefined;
  const [, , baseUrl = "", relPath = ""] = matched;
  const { sum = "", parts, oldname, newname } = attributes;
  const place = placeOfFile(baseUrl, relPath);
  const letter = sum.split(",")[0] ?? "";
  const noFile = Object.hasOwn(NO_FILES, letter) ? NO_FILES[letter] : undefined;
  if (noFile !== undefined) return readingOf("sarracenia-v02", [{ passedOver: `${quote(relPath)} is ${noFile}` }]);
  if (letter === "R" || newname !== undefined) return readingOf("sarracenia-v02", [entryOf(place, { removed: true })]);

  const facts: { size?: number; checksum?: Told["checksum"] } = { checksum: checksumOfSum(sum) };
  if (parts !== undefined) {
    const parsed = parseParts(parts);
    if (parsed.kind === "faulty") return malformed(`a header parts of ${quote(parts)}`, "1,bytes,1,0,0");
    if (parsed.kind === "blocks")
      return readingOf("sarracenia-v02", [{ passedOver: `${quote(relPath)} comes in blocks, not as a file` }]);
    facts.size = parsed.size;
  }
  const old: Entry[] = oldname === undefined ? [] : [entryOf(placeOfFile(baseUrl, oldname), { removed: true })];
  return readingOf("sarracenia-v02", [...old, entryOf(place, facts)]);
}
