import { z } from "zod";
import { nearestWord } from "./did-you-mean.ts";

/**
 * A mapping with these keys and no others. `planned` are keys that later versions will have: they are told apart from
 * unknown ones; `elsewhere` are keys that are allowed too, but looked at by somebody else. The message for unrecognized keys
 * has one line for each, `FOUND\tALLOWED`, in the order of `issue.keys`.
 */
export function mapping<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
  planned: readonly string[] = [],
  elsewhere: readonly string[] = [],
): z.ZodObject<Shape, z.core.$strict> {
  const known = [...elsewhere, ...Object.keys(shape)];
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? (issue.keys as string[]).map((key) => `${describeUnknown(key, known, planned)}\t${known.join(", ")}`).join("\n")
        : `a mapping with ${known.join(", ")}`,
  });
}

/** A text that `isGood`; `pattern` says the same, as far as it can, to editors. */
export function written(allowed: string, isGood: (text: string) => boolean, pattern?: string) {
  const text = z.string({ error: allowed }).refine(isGood, { error: allowed });
  return pattern === undefined ? text : text.meta({ pattern });
}

/** A list of at least `least` items. */
export function list<Item extends z.ZodType>(item: Item, allowed: string, least = 1) {
  return z.array(item, { error: allowed }).min(least, { error: allowed });
}

/** A whole number, both ends inclusive. */
export function wholeNumber(least: number, most: number) {
  const error = `a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

function describeUnknown(key: string, known: readonly string[], planned: readonly string[]): string {
  if (planned.includes(key)) return "a key that is not available in this version";
  const near = nearestWord(key, [...known, ...planned]);
  return near === undefined ? "an unknown key" : `an unknown key (did you mean ${near}?)`;
}
