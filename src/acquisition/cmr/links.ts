import { type Dataset, fieldsAt, type NameReader } from "../../dataset/index.ts";
import type { NameFields } from "../../ledger/index.ts";
import type { CmrLink } from "./granule.ts";

/** A file of a dataset, by the link that its source prefers. */
export interface DatasetLink {
  readonly key: string;
  readonly fields: NameFields;
  readonly link: CmrLink;
}

/**
 * Which links of a granule are a dataset's: those that its source may name and a grammar knows. Of several for one key the one below the
 * source's `at` is taken, and after it as `allow` lists prefixes.
 */
export function linksFor(dataset: Dataset, names: NameReader, links: readonly CmrLink[]): readonly DatasetLink[] {
  const found = new Map<string, DatasetLink>();
  const prefixes = [dataset.source.at, ...dataset.source.allow];
  const ordered = prefixes.flatMap((prefix) => links.filter(({ uri }) => uri.startsWith(prefix)));
  for (const link of ordered) {
    const fields = fieldsAt(dataset.source, names, link.uri);
    if (fields === undefined) continue;
    const key = names.key(fields);
    if (!found.has(key)) found.set(key, { key, fields, link });
  }
  return [...found.values()];
}
