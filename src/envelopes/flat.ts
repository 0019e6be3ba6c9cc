import type { Reading } from "./envelope.ts";
import { entryOf, malformed, readingOf } from "./outcome.ts";
import { encodeName, placeOfUri } from "./place.ts";
import { quote } from "./quote.ts";

const FIELD = /\{([A-Za-z0-9_.-]{1,64})\}/g;
/** A value that stands in a bucket's or a host's place. */
const AUTHORITY = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/;

/**
 * A message that is nothing but fields, such as those of the Met Office: `{"bucket", "key", "object_size", …}`. The template says
 * how a uri is made of them; a field is a name as the store knows it, and only in the path may it have slashes. `object_size`,
 * where it is digits, is the size.
 */
export function readFlat(value: Readonly<Record<string, unknown>>, template: string): Reading {
  const pathFrom = template.indexOf("/", template.indexOf("://") + 3);
  let fault: string | undefined;
  const uri = template.replace(FIELD, (_, name: string, at: number) => {
    const field = Object.hasOwn(value, name) ? value[name] : undefined;
    if (typeof field !== "string" && typeof field !== "number") fault ??= `no field ${quote(name)}`;
    const text = String(typeof field === "object" ? "" : field);
    const inAuthority = pathFrom < 0 || at < pathFrom;
    if (inAuthority && !AUTHORITY.test(text)) fault ??= `${quote(text)} as ${quote(name)}`;
    return encodeName(text);
  });
  if (fault !== undefined) return malformed(fault, `the fields of ${template}`);
  const size = /^\d{1,15}$/.test(String(value.object_size)) ? Number(value.object_size) : undefined;
  return readingOf("flat", [entryOf(placeOfUri(uri), { size })]);
}
