import type { NameFields } from "../ledger/index.ts";
import type { Source } from "./dataset.ts";
import type { NameReader } from "./name-grammar.ts";

/** The fields of a granule's name, if the source may name the place and a grammar knows the name. */
export function fieldsAt(source: Source, names: NameReader, uri: string): NameFields | undefined {
  const rest = restOf(uri, [source.at, ...source.allow]);
  return rest === undefined ? undefined : names.match(rest);
}

/** Whether the source may name the place. */
export function isBelow(source: Source, uri: string): boolean {
  return restOf(uri, [source.at, ...source.allow]) !== undefined;
}

/** The part of a uri below the longest prefix that it has, decoded; undefined where it has none. */
function restOf(uri: string, prefixes: readonly string[]): string | undefined {
  if (!URL.canParse(uri)) return undefined;
  const { href, search } = new URL(uri);
  if (search !== "") return undefined;
  const prefix = prefixes.filter((candidate) => href.startsWith(candidate)).sort((a, b) => b.length - a.length)[0];
  if (prefix === undefined) return undefined;
  const path = href.slice(prefix.length).replace(/[?#].*$/, "");
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
