import { FreshetError } from "../errors/index.ts";
import { stepAtOrAfter, timeAt } from "./calendar.ts";
import type { Dataset } from "./dataset.ts";
import { fromReal, toReal } from "./dates.ts";
import { compileGrammar } from "./name-grammar.ts";

/** Whether names can be made up: those of the first grammar say nothing but when the granule is valid. */
export function areNamesMadeUp({ match, products }: Pick<Dataset, "match" | "products">): boolean {
  const [first] = match;
  if (products.some(({ kind }) => kind !== "timeseries")) return false;
  return first !== undefined && [...compileGrammar(first).kinds.keys()].join() === "valid";
}

/**
 * The uris that granules valid from `fromMs` to `toMs` (both inclusive) have, by the dataset's first name grammar and its calendars; in the
 * order of time. Nobody has looked whether they are there.
 * @throws FreshetError `usage` where a name says more than when the granule is valid: then it cannot be made up.
 */
export function* urisBetween({ name, match, products, source }: Dataset, fromMs: number, toMs: number): Generator<string> {
  const unforeseen = products.find(({ kind }) => kind !== "timeseries");
  if (unforeseen !== undefined) {
    throw new FreshetError("usage", `the names of a ${unforeseen.kind}'s granules are not made up`, {
      found: name,
      path: name,
      remedy: "Name the granules in a file, or look at the source: --source FILE or listing",
    });
  }
  if (!areNamesMadeUp({ match, products })) {
    const fields = match.flatMap((text) => [...compileGrammar(text).kinds.keys()]);
    throw new FreshetError("usage", "the names of this dataset's granules cannot be made up", {
      found: fields.length === 0 ? "messages, and no names" : `the fields ${[...new Set(fields)].join(", ")}`,
      expected: "{valid:…} only",
      path: name,
      remedy: "Name the granules in a file, or look at the source: --source FILE or listing",
    });
  }
  const grammar = compileGrammar(match[0] as string);
  const given = new Set<string>();
  for (const product of products) {
    if (product.kind !== "timeseries") continue;
    const { calendar } = product;
    const { dates = "standard" } = calendar;
    const [from, to] = [fromReal(dates, fromMs) ?? fromMs, fromReal(dates, toMs) ?? toMs];
    const first = stepAtOrAfter(calendar, Math.max(from, calendar.fromMs ?? from));
    const last = Math.min(to, calendar.toMs ?? to);
    for (let position = 0; ; position++) {
      const validMs = timeAt(calendar, position, first);
      if (validMs > last) break;
      const named = toReal(dates, validMs);
      const text = named === undefined ? undefined : grammar.write({ valid: named });
      if (text === undefined) continue;
      const uri = new URL(text.split("/").map(encodeURIComponent).join("/"), source.at).href;
      if (products.length > 1 && given.has(uri)) continue;
      given.add(uri);
      yield uri;
    }
  }
}
