import { compileNames, type Dataset } from "../dataset/index.ts";
import type { NameFields } from "../ledger/index.ts";

/**
 * The typed fields of a granule's name, from where its bytes are. Undefined where that place does not say its name: a mirror's copy
 * has another one, and a changed grammar may not know it any more.
 */
export function nameFieldsOf(dataset: Dataset, uri: string, key: string): NameFields | undefined {
  const { at, allow } = dataset.source;
  const prefix = [at, ...allow].filter((candidate) => uri.startsWith(candidate)).sort((a, b) => b.length - a.length)[0];
  if (prefix === undefined) return undefined;
  const names = compileNames(dataset.match);
  const fields = names.match(decoded(uri.slice(prefix.length)));
  return fields !== undefined && names.key(fields) === key ? fields : undefined;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
