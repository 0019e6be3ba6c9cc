import type { NameFields } from "../ledger/index.ts";
import type { Captures } from "./name-match.ts";
import { type FieldKind, type InstantPart, kindOfToken, NameGrammarError, type NameToken } from "./name-token.ts";

type Parts = Partial<Record<InstantPart, number>>;

/** Fields whose meaning is fixed. */
const KIND_OF_NAME: Readonly<Record<string, FieldKind>> = { valid: "instant", run: "instant", lead: "duration" };

/**
 * The fields of a grammar and what they hold.
 * @throws NameGrammarError when a field is used as two kinds, is not what its name means, or an instant is incomplete.
 */
export function fieldsOfTokens(tokens: readonly NameToken[]): ReadonlyMap<string, FieldKind> {
  const kinds = new Map<string, FieldKind>();
  for (const token of tokens) {
    if (token.kind === "literal") continue;
    const kind = kindOfToken(token);
    const before = kinds.get(token.field) ?? kind;
    if (before !== kind) throw new NameGrammarError(`{${token.field}} as ${before} and as ${kind}`, "one kind for each field");
    const meant = KIND_OF_NAME[token.field] ?? kind;
    if (meant !== kind) {
      const example = meant === "instant" ? `{${token.field}:%Y%m%d%H}` : `{${token.field}:3h}`;
      throw new NameGrammarError(
        `{${token.field}} as ${kind}`,
        `an ${meant} for ${token.field}, as in ${example}`.replace("an d", "a d"),
      );
    }
    kinds.set(token.field, kind);
  }
  for (const field of kinds.keys()) checkInstant(tokens, field);
  return kinds;
}

/** The values that the captures stand for; undefined when they disagree or name an instant that does not exist. */
export function readFields(tokens: readonly NameToken[], captures: Captures): NameFields | undefined {
  const values = new Map<string, string | number>();
  const instants = new Map<string, Parts>();
  for (const [index, token] of tokens.entries()) {
    const text = captures[index] as string;
    if (token.kind === "literal") continue;
    if (token.kind === "instant-part") {
      const parts = instants.get(token.field) ?? {};
      if ((parts[token.part] ?? Number(text)) !== Number(text)) return undefined;
      instants.set(token.field, Object.assign(parts, { [token.part]: Number(text) }));
      values.set(token.field, 0);
      continue;
    }
    const value = token.kind === "digits" ? Number(text) * (token.unitMs ?? 1) : token.kind === "integer" ? Number(text) : text;
    if ((values.get(token.field) ?? value) !== value) return undefined;
    values.set(token.field, value);
  }
  for (const [field, parts] of instants) {
    const ms = instantOf(parts);
    if (ms === undefined) return undefined;
    values.set(field, ms);
  }
  return Object.fromEntries(values);
}

/** The text of a token in the name that has these fields; undefined when the field is absent or does not fit the token. */
export function writeToken(token: NameToken, fields: NameFields): string | undefined {
  if (token.kind === "literal") return token.text;
  const value = fields[token.field];
  switch (token.kind) {
    case "free":
      return typeof value === "string" && value !== "" && !value.includes("/") ? value : undefined;
    case "choice":
      return token.options.find((option) => option === value);
    case "integer":
      return typeof value === "number" && value >= 0 ? String(value) : undefined;
    case "digits": {
      const count = typeof value === "number" ? value / (token.unitMs ?? 1) : Number.NaN;
      const text = String(count).padStart(token.digits, "0");
      return Number.isSafeInteger(count) && count >= 0 && text.length === token.digits ? text : undefined;
    }
    case "instant-part":
      return typeof value === "number" ? String(partOf(value, token.part)).padStart(token.digits, "0") : undefined;
  }
}

/** Year and day have to be there; a finer part only with the coarser ones, because 00 would be made up otherwise. */
function checkInstant(tokens: readonly NameToken[], field: string): void {
  const parts = new Set(tokens.flatMap((token) => (token.kind === "instant-part" && token.field === field ? [token.part] : [])));
  if (parts.size === 0) return;
  const isComplete =
    parts.has("Y") &&
    (!parts.has("d") || parts.has("m")) &&
    (!parts.has("H") || parts.has("d") || parts.has("j")) &&
    (!parts.has("M") || parts.has("H")) &&
    (!parts.has("S") || parts.has("M"));
  if (isComplete) return;
  const found = [...parts].map((part) => `%${part}`).join(" ");
  throw new NameGrammarError(
    `{${field}} of ${found}`,
    "%Y, then %m and %d, or %j, then %H, %M, %S, none left out before a finer one",
  );
}

function instantOf(parts: Parts): number | undefined {
  const { Y = 0, m = 1, d = 1, j, H = 0, M = 0, S = 0 } = parts;
  // Date.UTC takes two-digit years for those of the 20th century.
  if (Y < 1000) return undefined;
  const ms = j === undefined ? Date.UTC(Y, m - 1, d, H, M, S) : Date.UTC(Y, 0, j, H, M, S);
  const exists = (Object.keys(parts) as InstantPart[]).every((part) => partOf(ms, part) === parts[part]);
  return exists ? ms : undefined;
}

function partOf(ms: number, part: InstantPart): number {
  const time = new Date(ms);
  switch (part) {
    case "Y":
      return time.getUTCFullYear();
    case "m":
      return time.getUTCMonth() + 1;
    case "d":
      return time.getUTCDate();
    case "j":
      return Math.floor((ms - Date.UTC(time.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;
    case "H":
      return time.getUTCHours();
    case "M":
      return time.getUTCMinutes();
    case "S":
      return time.getUTCSeconds();
  }
}
