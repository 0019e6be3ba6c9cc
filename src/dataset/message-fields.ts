import type { NameFields } from "../ledger/index.ts";
import { parseDuration } from "./duration.ts";
import type { FieldKind } from "./name-token.ts";

/** A field of a message, in braces. */
const FIELD = /\{([A-Za-z0-9_.-]{1,64})\}/g;
/** Fields become keys of granules and parts of workflow ids. */
const MAX_TEXT_CHARACTERS = 200;
/** Names of fields with a meaning of their own, as in name grammars; all others are texts. */
const KINDS: Readonly<Record<string, FieldKind>> = { valid: "instant", run: "instant", lead: "duration" };

/** How the messages of a dataset whose files have no telling names say what they announce. */
export interface MessageRule {
  /** A uri with fields of the message in braces: `s3://{bucket}/{key}`. */
  readonly uri: string;
  /** The granule's fields, each a template: `run: "{forecast_reference_time}"`, `lead: "{forecast_period}s"`. At least one. */
  readonly fields: Readonly<Record<string, string>>;
  /** Only messages whose fields have one of these values. */
  readonly select: Readonly<Record<string, readonly string[]>>;
}

/** Names of the message's fields that a template needs. */
export function fieldsInTemplate(template: string): string[] {
  return [...template.matchAll(FIELD)].map(([, name]) => name as string);
}

/** The template with `{name}` replaced by what `textOf` gives; `at` is where it stands. */
export function fillMessageTemplate(template: string, textOf: (name: string, at: number) => string): string {
  return template.replace(FIELD, (_, name: string, at: number) => textOf(name, at));
}

/** A field of a message as text; undefined where there is none, or one that is neither text nor a number. */
export function messageText(message: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = Object.hasOwn(message, name) ? message[name] : undefined;
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

/** What the granule's fields hold. */
export function kindsOfMessage({ fields }: Pick<MessageRule, "fields">): ReadonlyMap<string, FieldKind> {
  return new Map(Object.keys(fields).map((name) => [name, KINDS[name] ?? "text"]));
}

/** Whether the rule is for such a message. */
export function isSelected({ select }: Pick<MessageRule, "select">, message: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(select).every(([name, values]) => values.includes(messageText(message, name) ?? ""));
}

/** The granule's typed fields; or which template does not give what its field must hold, as half a sentence. */
export function fieldsOfMessage(
  { fields }: Pick<MessageRule, "fields">,
  message: Readonly<Record<string, unknown>>,
): { readonly fields: NameFields } | { readonly fault: string } {
  const found: Record<string, string | number> = {};
  for (const [name, template] of Object.entries(fields)) {
    let missing: string | undefined;
    const text = fillMessageTemplate(template, (field) => {
      const value = messageText(message, field);
      if (value === undefined) missing ??= field;
      return value ?? "";
    });
    if (missing !== undefined) return { fault: `no field "${missing}"` };
    const value = typed(KINDS[name] ?? "text", text);
    if (value === undefined) return { fault: `${name} is no ${KINDS[name] ?? "text"}` };
    found[name] = value;
  }
  return { fields: found };
}

function typed(kind: FieldKind, text: string): string | number | undefined {
  if (kind === "duration") return parseDuration(text);
  if (kind !== "instant") return text === "" || text.length > MAX_TEXT_CHARACTERS ? undefined : text;
  // ISO 8601 with a zone: without one an instant is anybody's guess.
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
