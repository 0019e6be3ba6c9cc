/** What a field of a name holds. */
export type FieldKind =
  /** Milliseconds since 1970 UTC. */
  | "instant"
  /** Milliseconds. */
  | "duration"
  | "integer"
  | "text";

/** A part of an instant, as `strftime` calls it. */
export type InstantPart = "Y" | "m" | "d" | "j" | "H" | "M" | "S";

/** Digits of each part. */
export const INSTANT_DIGITS: Readonly<Record<InstantPart, number>> = { Y: 4, m: 2, d: 2, j: 3, H: 2, M: 2, S: 2 };

/** One piece of a compiled name grammar. A name is matched by its pieces, one after the other, without gaps. */
export type NameToken =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "instant-part"; readonly field: string; readonly part: InstantPart; readonly digits: number }
  /** Exactly `digits` digits; a duration of `unitMs` each, or a plain number where that is undefined. */
  | { readonly kind: "digits"; readonly field: string; readonly digits: number; readonly unitMs: number | undefined }
  /** One to fifteen digits. */
  | { readonly kind: "integer"; readonly field: string }
  | { readonly kind: "choice"; readonly field: string; readonly options: readonly string[] }
  /** One or more characters, none of them `/`; as few as make the whole name match. */
  | { readonly kind: "free"; readonly field: string };

/** A grammar that cannot be read: what is wrong, and what would be right. */
export class NameGrammarError extends Error {
  readonly found: string;
  readonly allowed: string;

  constructor(found: string, allowed: string) {
    super(`found ${found}, allowed ${allowed}`);
    this.found = found;
    this.allowed = allowed;
  }
}

const FORMS = "{name}, {name:int}, {name:3} (digits), {lead:3h} (a duration in s, m, h or d), {kind:n|f}, {valid:%Y%m%d%H%M%S}";
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Splits a grammar into its pieces. `{{` and `}}` stand for braces. @throws NameGrammarError */
export function tokenize(grammar: string): NameToken[] {
  const tokens: NameToken[] = [];
  for (let at = 0; at < grammar.length; ) {
    const two = grammar.slice(at, at + 2);
    if (two === "{{" || two === "}}") {
      addLiteral(tokens, two.charAt(0));
      at += 2;
    } else if (grammar[at] === "{") {
      const end = grammar.indexOf("}", at);
      if (end < 0) throw new NameGrammarError(`${grammar.slice(at)} without its }`, FORMS);
      for (const token of tokensOfField(grammar.slice(at + 1, end))) {
        if (token.kind === "literal") addLiteral(tokens, token.text);
        else tokens.push(token);
      }
      at = end + 1;
    } else if (grammar[at] === "}") {
      throw new NameGrammarError("} without its {", "}} for a brace");
    } else {
      addLiteral(tokens, grammar.charAt(at));
      at++;
    }
  }
  return tokens;
}

export function kindOfToken(token: Exclude<NameToken, { kind: "literal" }>): FieldKind {
  switch (token.kind) {
    case "instant-part":
      return "instant";
    case "digits":
      return token.unitMs === undefined ? "integer" : "duration";
    case "integer":
      return "integer";
    case "choice":
    case "free":
      return "text";
  }
}

function addLiteral(tokens: NameToken[], text: string): void {
  const last = tokens.at(-1);
  if (last?.kind === "literal") tokens[tokens.length - 1] = { kind: "literal", text: last.text + text };
  else tokens.push({ kind: "literal", text });
}

function tokensOfField(content: string): NameToken[] {
  const colon = content.indexOf(":");
  const field = colon < 0 ? content : content.slice(0, colon);
  const format = colon < 0 ? undefined : content.slice(colon + 1);
  const quoted = `{${content}}`;
  if (!/^[a-z][a-z0-9_]{0,30}$/i.test(field))
    throw new NameGrammarError(quoted, `a field name of letters, digits and _, as in ${FORMS}`);
  if (format === undefined) return [{ kind: "free", field }];
  if (format.includes("%")) return instantTokens(field, format, quoted);
  if (format === "int") return [{ kind: "integer", field }];
  const [, digits, unit] = /^([1-9]|1[0-5])([smhd])?$/.exec(format) ?? [];
  if (digits !== undefined) {
    // A lead is a time in every agency's names, in whole hours in nearly all of them.
    const unitMs = UNIT_MS[unit ?? (field === "lead" ? "h" : "")];
    return [{ kind: "digits", field, digits: Number(digits), unitMs }];
  }
  const options = format.split("|");
  const areGood = options.every((option) => /^[^{}/|]+$/.test(option)) && new Set(options).size === options.length;
  if (options.length >= 2 && areGood) return [{ kind: "choice", field, options }];
  throw new NameGrammarError(quoted, FORMS);
}

function instantTokens(field: string, format: string, quoted: string): NameToken[] {
  const tokens: NameToken[] = [];
  for (let at = 0; at < format.length; at++) {
    const character = format.charAt(at);
    if (character !== "%") {
      tokens.push({ kind: "literal", text: character });
      continue;
    }
    const part = format.charAt(++at);
    if (part === "%") tokens.push({ kind: "literal", text: "%" });
    else if (isInstantPart(part)) tokens.push({ kind: "instant-part", field, part, digits: INSTANT_DIGITS[part] });
    else throw new NameGrammarError(`%${part} in ${quoted}`, "%Y %m %d %j %H %M %S, and %% for a percent sign");
  }
  return tokens;
}

function isInstantPart(text: string): text is InstantPart {
  return Object.hasOwn(INSTANT_DIGITS, text);
}
