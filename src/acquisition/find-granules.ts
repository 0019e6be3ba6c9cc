import { open } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { BackfillFound, BackfillSearch, FindPlace } from "../contract/index.ts";
import { compileNames, type Dataset, fieldsAt, granuleTimeOf, type NameReader } from "../dataset/index.ts";
import { FreshetError, isFreshetError } from "../errors/index.ts";
import { listPage } from "../storage/index.ts";
import { collectionId, granulesPage } from "./cmr/client.ts";
import { linksFor } from "./cmr/links.ts";
import { foldersIn } from "./list-source.ts";
import { placesBetween } from "./listed-places.ts";
import { accessOf } from "./open-source.ts";

/** A part of a search ends after so many uris, or pages: then Temporal holds how far it is. */
const MOST_URIS = 10_000;
const MOST_PAGES = 100;
/** Folders that wait to be looked into. */
const MOST_WAITING = 5_000;

/** A page of a search. */
export interface FoundPage {
  readonly uris: readonly string[];
  /** Undefined: this was the last one. */
  readonly next: FindPlace | undefined;
}

/**
 * The next page of a dataset's granules that CMR or a listing of the source tells of, from `at` on: the uris that its source may name and a grammar
 * knows, valid within the span as far as their names say. Nobody has looked whether the ledger has them.
 * @throws FreshetError `usage` where the source has no CMR; as `granulesPage`, `listPage`: but a folder that is not there has nothing.
 */
export async function findGranules(
  dataset: Dataset,
  search: BackfillSearch,
  at: FindPlace | undefined,
  signal: AbortSignal,
): Promise<FoundPage> {
  const names = compileNames(dataset.match);
  return search.by === "cmr" ? findByCmr(dataset, names, search, at, signal) : findByListing(dataset, names, search, at, signal);
}

/**
 * Writes the uris of the next pages of a search into a list, one a line, from its byte `offset` on; what was behind it is an attempt that died.
 * May run twice.
 * @throws FreshetError as `findGranules`.
 */
export async function listGranules(
  dataset: Dataset,
  search: BackfillSearch,
  list: string,
  found: BackfillFound,
  { signal, onProgress }: { readonly signal: AbortSignal; readonly onProgress: (what: string) => void },
): Promise<BackfillFound> {
  const file = await open(fileURLToPath(list), found.offset === 0 ? "w" : "r+");
  try {
    await file.truncate(found.offset);
    let { offset, total, next } = found;
    let uris = 0;
    for (let page = 0; page < MOST_PAGES && uris < MOST_URIS; page++) {
      signal.throwIfAborted();
      const one = await findGranules(dataset, search, next, signal);
      const text = Buffer.from(one.uris.map((uri) => `${uri}\n`).join(""));
      await file.write(text, 0, text.length, offset);
      offset += text.length;
      uris += one.uris.length;
      total += one.uris.length;
      next = one.next;
      onProgress(`${total} granules found`);
      if (next === undefined) break;
    }
    await file.sync();
    return { offset, total, next };
  } finally {
    await file.close();
  }
}

async function findByCmr(
  dataset: Dataset,
  names: NameReader,
  search: BackfillSearch,
  at: FindPlace | undefined,
  signal: AbortSignal,
): Promise<FoundPage> {
  const { source, collection } = dataset;
  if (source.cmr === undefined || collection === undefined) {
    throw new FreshetError("usage", "the dataset's source has no CMR", {
      found: source.name,
      path: dataset.name,
      remedy: "Name it in the dataset file (cmr in the source, from.collection in the dataset), or its granules in a file",
    });
  }
  const id = at?.collection ?? (await collectionId(source.cmr, collection, signal));
  const { fromMs = 0, toMs = Date.UTC(9999, 11, 31) } = search;
  const isSpan = search.fromMs !== undefined || search.toMs !== undefined;
  const question = {
    collectionId: id,
    granules: collection.granules,
    ...(isSpan ? { temporal: [fromMs, toMs] as const } : {}),
  };
  const page = await granulesPage(source.cmr, question, at?.after, signal);
  const links = page.granules.flatMap((granule) => linksFor(dataset, names, granule.links));
  const uris = links.filter(({ fields }) => isWithin(dataset, fields, search)).map(({ link }) => link.uri);
  return { uris, next: page.next === undefined ? undefined : { collection: id, after: page.next } };
}

async function findByListing(
  dataset: Dataset,
  names: NameReader,
  search: BackfillSearch,
  at: FindPlace | undefined,
  signal: AbortSignal,
): Promise<FoundPage> {
  const { source } = dataset;
  const waiting = [...(at?.folders ?? placesBetween(source, search.fromMs, search.toMs))];
  const folder = waiting.pop();
  if (folder === undefined) return { uris: [], next: undefined };
  const page = await listPage(folder, at?.after, await accessOf(source, folder, signal)).catch((error: unknown) => {
    if (isFreshetError(error, "source-missing")) return undefined;
    throw error;
  });
  if (page?.next !== undefined) waiting.push(folder);
  else if (page !== undefined) waiting.push(...foldersIn(page, waiting, source).toReversed());
  if (waiting.length > MOST_WAITING) {
    throw new FreshetError("usage", "the search meets too many folders", {
      found: `${waiting.length} at one time`,
      expected: `at most ${MOST_WAITING}`,
      path: dataset.name,
      remedy: "Name the folders with granules (listing.below in the source), or a shorter span",
    });
  }
  const uris = (page?.files ?? []).flatMap(({ uri }) => {
    const fields = fieldsAt(source, names, uri);
    return fields !== undefined && isWithin(dataset, fields, search) ? [uri] : [];
  });
  const after = page?.next;
  return { uris, next: waiting.length === 0 ? undefined : { folders: waiting, ...(after === undefined ? {} : { after }) } };
}

/** By the name; one that does not say is within. */
function isWithin(
  dataset: Dataset,
  fields: Parameters<typeof granuleTimeOf>[1],
  { fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY }: BackfillSearch,
): boolean {
  const validMs = granuleTimeOf(dataset, fields);
  return validMs === undefined || (validMs >= fromMs && validMs <= toMs);
}
