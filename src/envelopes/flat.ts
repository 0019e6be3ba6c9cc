import { fieldsOfMessage, fillMessageTemplate, isSelected, type MessageRule, messageText } from "../dataset/index.ts";
import type { Reading } from "./envelope.ts";
import { type Entry, entryOf, malformed, readingOf } from "./outcome.ts";
import { encodeName, placeOfUri } from "./place.ts";
import { quote } from "./quote.ts";

/** A value that stands in a bucket's or a host's place. */
const AUTHORITY = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/;

/** How a message that is nothing but fields is read. */
export interface FlatRule extends Pick<MessageRule, "uri">, Partial<Omit<MessageRule, "uri">> {
  /** What it says is for this dataset alone. */
  readonly dataset?: string | undefined;
}

/**
 * A message that is nothing but fields, such as those of the Met Office: `{"bucket", "key", "object_size", …}`. Each rule that selects it
 * says how a uri and the granule's fields are made of them; a field is a name as the store knows it, and only in the path may it have
 * slashes. `object_size`, where it is digits, is the size. One that no rule selects is passed over.
 */
export function readFlat(value: Readonly<Record<string, unknown>>, rules: readonly FlatRule[]): Reading {
  const chosen = rules.filter((rule) => isSelected({ select: rule.select ?? {} }, value));
  if (chosen.length === 0) {
    const names = [...new Set(rules.flatMap(({ select = {} }) => Object.keys(select)))];
    const said = names.map((name) => `${name} ${quote(messageText(value, name) ?? "")}`).join(", ");
    return readingOf("flat", [{ passedOver: `no dataset selects a message with ${said}` }]);
  }
  const entries = chosen.map((rule) => entryBy(rule, value));
  const [fault] = entries.flatMap((entry) => ("fault" in entry ? [entry] : []));
  if (fault !== undefined && entries.every((entry) => "fault" in entry))
    return malformed(fault.fault, `the fields of ${fault.template}`);
  return readingOf(
    "flat",
    entries.map((entry) =>
      "fault" in entry ? { passedOver: `${entry.fault}; expected the fields of ${entry.template}` } : entry,
    ),
  );
}

function entryBy(
  { uri: template, fields, dataset }: FlatRule,
  value: Readonly<Record<string, unknown>>,
): Entry | { readonly fault: string; readonly template: string } {
  const pathFrom = template.indexOf("/", template.indexOf("://") + 3);
  let fault: string | undefined;
  const uri = fillMessageTemplate(template, (name, at) => {
    const text = messageText(value, name);
    if (text === undefined) fault ??= `no field ${quote(name)}`;
    const inAuthority = pathFrom < 0 || at < pathFrom;
    if (inAuthority && !AUTHORITY.test(text ?? "")) fault ??= `${quote(text ?? "")} as ${quote(name)}`;
    return encodeName(text ?? "");
  });
  if (fault !== undefined) return { fault, template };
  const size = /^\d{1,15}$/.test(String(value.object_size)) ? Number(value.object_size) : undefined;
  const entry = entryOf(placeOfUri(uri), { size });
  if (!("told" in entry)) return entry;
  const read = fields === undefined ? undefined : fieldsOfMessage({ fields }, value);
  if (read !== undefined && "fault" in read) return { fault: read.fault, template: Object.values(fields ?? {}).join(", ") };
  return { told: { ...entry.told, ...(read && { fields: read.fields }), ...(dataset !== undefined && { only: dataset }) } };
}
