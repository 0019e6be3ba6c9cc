import { canonicalUnits } from "./canonical-units.ts";

/** Attributes that readers compare elements with, by value: of which type of number they are makes no difference. */
const COMPARED_BY_VALUE: ReadonlySet<string> = new Set(["_FillValue", "missing_value", "flag_values", "flag_masks"]);

/** Attributes of which a number and a list of that one number are the same to readers. */
const NUMBERS: ReadonlySet<string> = new Set([...COMPARED_BY_VALUE, "scale_factor", "add_offset"]);

/** `-1 (int16)`, `[-1] (int16)`. */
const TYPED = /^\[?([^()]*?)\]? \((\w+)\)$/;

/**
 * Whether two texts of a fact (see `GranuleSchema`; undefined: absent) say the same of how bytes are decoded and what numbers mean. docs/drift.md has
 * each equality with its reason.
 */
export function isSameFact(fact: string, a: string | undefined, b: string | undefined): boolean {
  return a === b || canonicalFact(fact, a) === canonicalFact(fact, b);
}

function canonicalFact(fact: string, text: string | undefined): string | undefined {
  if (fact === "units") return canonicalUnits(text);
  if (fact === "calendar") return text === undefined || text.toLowerCase() === "gregorian" ? "standard" : text.toLowerCase();
  if (fact === "flag_meanings") return text?.trim().split(/\s+/).join(" ");
  if (text === undefined || !NUMBERS.has(fact)) return text;
  const [, numbers, type] = TYPED.exec(text) ?? [];
  if (numbers === undefined) return text;
  return COMPARED_BY_VALUE.has(fact) ? numbers : `${numbers} (${type})`;
}
