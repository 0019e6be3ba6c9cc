import type { Dataset } from "./dataset.ts";
import { granuleKey } from "./granule-key.ts";
import { kindsOfMessage } from "./message-fields.ts";
import { compileNames, type NameReader } from "./name-grammar.ts";

/** What reads the names of a dataset's granules, and makes keys of their fields, whether names or messages say them. */
export function namesOf({ match, message }: Pick<Dataset, "match" | "message">): NameReader {
  const names = compileNames(match);
  if (message === undefined) return names;
  const kinds = new Map([...names.kinds, ...kindsOfMessage(message)]);
  return { kinds, match: names.match, key: (fields) => granuleKey(fields, kinds) };
}
