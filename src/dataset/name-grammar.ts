import type { NameFields } from "../ledger/index.ts";
import type { Runs } from "./dataset.ts";
import { granuleKey } from "./granule-key.ts";
import { fieldsOfTokens, readFields, writeToken } from "./name-fields.ts";
import { matchTokens } from "./name-match.ts";
import { type FieldKind, type InstantPart, NameGrammarError, type NameToken, tokenize } from "./name-token.ts";

/** Longer names match no grammar: object keys end at 1 024 bytes, and file paths hardly ever reach it. */
const MAX_NAME_CHARACTERS = 1024;
const MAX_GRAMMAR_CHARACTERS = 500;

/** One grammar, ready to read names. */
export interface NameGrammar {
  readonly text: string;
  /** What each field holds. */
  readonly kinds: ReadonlyMap<string, FieldKind>;
  /** The fields of a name, or undefined if it is not one of the grammar's. See `NameReader.match`. */
  match(name: string): NameFields | undefined;
  /** The name that has these fields; undefined if there is none. */
  write(fields: NameFields): string | undefined;
}

/** All grammars of a dataset. */
export interface NameReader {
  readonly kinds: ReadonlyMap<string, FieldKind>;
  /**
   * The fields of a granule's name by the first grammar that matches, or undefined. A name is the uri's path behind the
   * source's prefix, decoded; a grammar with n slashes reads its last n + 1 segments. Instants and durations are
   * milliseconds, `{x:3}` and `{x:int}` numbers, everything else text.
   */
  match(name: string): NameFields | undefined;
  /** The granule key: see `granuleKey`. */
  key(fields: NameFields): string;
}

/** @throws NameGrammarError with what was found and what is allowed. */
export function compileGrammar(text: string): NameGrammar {
  if (text.length > MAX_GRAMMAR_CHARACTERS) {
    throw new NameGrammarError(`${text.length} characters`, `at most ${MAX_GRAMMAR_CHARACTERS}`);
  }
  const tokens = tokenize(text);
  const kinds = fieldsOfTokens(tokens);
  if (kinds.size === 0) throw new NameGrammarError(text === "" ? "nothing" : text, "at least one {field}");
  refuseAmbiguity(tokens);
  const segments = literalText(tokens).split("/").length;
  return {
    text,
    kinds,
    match: (name) => {
      if (name.length > MAX_NAME_CHARACTERS) return undefined;
      const captures = matchTokens(tokens, name.split("/").slice(-segments).join("/"));
      return captures && readFields(tokens, captures);
    },
    write: (fields) => {
      const texts = tokens.map((token) => writeToken(token, fields));
      return texts.every((part) => part !== undefined) ? texts.join("") : undefined;
    },
  };
}

/** @throws NameGrammarError also when a field is of one kind in one grammar and of another in the next. */
export function compileNames(texts: readonly string[]): NameReader {
  const grammars = texts.map(compileGrammar);
  const kinds = new Map<string, FieldKind>();
  for (const grammar of grammars) {
    for (const [field, kind] of grammar.kinds) {
      const before = kinds.get(field) ?? kind;
      if (before !== kind) {
        throw new NameGrammarError(`{${field}} as ${before} in one grammar and as ${kind} in another`, "one kind for each field");
      }
      kinds.set(field, kind);
    }
  }
  return {
    kinds,
    match: (name) => {
      for (const grammar of grammars) {
        const fields = grammar.match(name);
        if (fields !== undefined) return fields;
      }
      return undefined;
    },
    key: (fields) => granuleKey(fields, kinds),
  };
}

const PART_MS: Readonly<Record<InstantPart, number>> = {
  S: 1_000,
  M: 60_000,
  H: 3_600_000,
  d: 86_400_000,
  j: 86_400_000,
  m: 31 * 86_400_000,
  Y: 366 * 86_400_000,
};

/**
 * How exactly the names of these grammars say when a granule is valid, in milliseconds: a date alone says the day, not the
 * hour. Of several grammars the least exact counts.
 */
export function validPrecisionMs(texts: readonly string[]): number {
  return Math.max(
    1_000,
    ...texts.map((text) => {
      const tokens = tokenize(text);
      const partsOf = (field: string): number[] =>
        tokens.flatMap((token) => (token.kind === "instant-part" && token.field === field ? [PART_MS[token.part]] : []));
      const parts = partsOf("valid").length > 0 ? partsOf("valid") : partsOf("run");
      return parts.length === 0 ? 1_000 : Math.min(...parts);
    }),
  );
}

/** When the granule is valid, by its name: `valid`, or else `run` + `lead`. Milliseconds since 1970; undefined if its name does not say. */
export function validTimeOf(fields: NameFields, runs?: Runs): number | undefined {
  const { valid, run, lead } = fields;
  if (typeof valid === "number") return valid;
  return typeof run === "number" && typeof lead === "number" ? run + offsetOf(fields, runs) + lead : undefined;
}

/**
 * The run that a granule belongs to, by its name: `run`, or else `valid` less `lead`. Milliseconds since 1970; undefined if its name does not
 * say.
 */
export function runTimeOf(fields: NameFields, runs?: Runs): number | undefined {
  const { valid, run, lead } = fields;
  if (typeof run === "number") return run;
  return typeof valid === "number" && typeof lead === "number" ? valid - lead - offsetOf(fields, runs) : undefined;
}

/** From what a granule's lead counts, less its run. */
function offsetOf({ kind }: NameFields, runs: Runs | undefined): number {
  return runs?.nowcast !== undefined && kind === runs.nowcast.kind ? runs.nowcast.offsetMs : 0;
}

/**
 * Until when a granule is held off, in milliseconds since 1970: `holdMs` after its valid time by its name, or after `heardMs`. Undefined where
 * the dataset holds nothing off.
 */
export function heldUntil(
  { holdMs, runs }: { readonly holdMs?: number | undefined; readonly runs?: Runs | undefined },
  fields: NameFields,
  heardMs: number,
): number | undefined {
  return holdMs === undefined ? undefined : (validTimeOf(fields, runs) ?? heardMs) + holdMs;
}

function literalText(tokens: readonly NameToken[]): string {
  return tokens.map((token) => (token.kind === "literal" ? token.text : "")).join("");
}

/** Two fields of open length side by side: where one ends and the other begins is anybody's guess. */
function refuseAmbiguity(tokens: readonly NameToken[]): void {
  for (const [index, token] of tokens.entries()) {
    const next = tokens[index + 1];
    const isOpen = token.kind === "free" || token.kind === "integer";
    if (isOpen && (next?.kind === "free" || next?.kind === "integer")) {
      throw new NameGrammarError(`{${token.field}}{${next.field}}`, "a character between two fields of open length");
    }
  }
}
