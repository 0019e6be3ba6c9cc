import type { CollectionProduct } from "../dataset/index.ts";
import type { NameFields } from "../ledger/index.ts";
import type { LayoutRow } from "./layout.ts";

/** Under which a row keeps the file's name: no field of a grammar is called so. */
export const FILE_NAME = "@name";

/** What a collection's row keeps of a granule beside its scan. */
export type CollectionFacts = Pick<LayoutRow, "lastMs" | "fields">;

/**
 * What a collection needs to know of a granule to give it its place and its coordinates; or why it has none, as half a sentence.
 * @param fields of its name, as the ledger has them.
 * @param uri where its bytes are at the source.
 */
export function collectionFacts(
  product: CollectionProduct,
  fields: NameFields,
  uri: string | undefined,
): CollectionFacts | string {
  if (product.along === "coordinate") return typeof fields.lastValid === "number" ? { lastMs: fields.lastValid } : {};
  const told: Record<string, string | number> = {};
  for (const field of fieldsNeeded(product)) {
    const value = field === FILE_NAME ? fileNameOf(uri) : fields[field];
    if (value === undefined) return field === FILE_NAME ? "nobody knows its file's name" : `its name does not say {${field}}`;
    told[field] = value;
  }
  return { fields: told };
}

/** When a granule of a collection without a time axis is valid, milliseconds since 1970; undefined where its name does not say. */
export function collectionTime(product: CollectionProduct, fields: NameFields): number | undefined {
  if (product.along === "coordinate") return undefined;
  const time = fields[product.time];
  return typeof time === "number" ? time : undefined;
}

function fieldsNeeded(product: Exclude<CollectionProduct, { along: "coordinate" }>): string[] {
  if (product.along === "none") return [product.newest];
  const needed = new Set(product.order);
  for (const coordinate of Object.values(product.coordinates)) {
    if (coordinate.from === "field") needed.add(coordinate.field);
    if (coordinate.from === "name") needed.add(FILE_NAME);
  }
  return [...needed].sort();
}

function fileNameOf(uri: string | undefined): string | undefined {
  if (uri === undefined) return undefined;
  const name = uri.slice(uri.lastIndexOf("/") + 1);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
