import { z } from "zod";
import type { CmrCollection, CmrSearch } from "../../dataset/index.ts";
import { FreshetError } from "../../errors/index.ts";
import { getJson, type JsonAnswer } from "../../storage/index.ts";
import { type CmrGranule, granuleOfItem } from "./granule.ts";

/** CMR gives 2 000 at most; a granule's metadata are some 5 to 20 KiB, and a page should fit in memory many times. */
const PAGE = 500;
const PAGE_BYTES = 64 * 1024 * 1024;
/** CMR's token of a page. */
const TOKEN_CHARACTERS = 4_000;
/** CMR tells what was deleted within the last year, and refuses to be asked for more. */
const DELETED_WITHIN_MS = 364 * 86_400_000;
const MOST_DELETED = 1_000_000;

/** A page of a search. */
export interface CmrPage {
  readonly granules: readonly CmrGranule[];
  /** Items that are no granules in UMM-G. */
  readonly unreadable: number;
  /** Granules that the search finds in all, as CMR says. */
  readonly hits: number | undefined;
  /** Where the next page begins; undefined: this was the last one. */
  readonly next: string | undefined;
}

/** What a search asks for. Times are milliseconds since 1970, both ends inclusive. */
export interface CmrQuestion {
  readonly collectionId: string;
  readonly granules: readonly string[];
  /** Revised since then. */
  readonly revisedSinceMs?: number | undefined;
  /** Granules that hold something of this span. */
  readonly temporal?: readonly [fromMs: number, toMs: number] | undefined;
}

/** A granule that is not in CMR any more. */
export interface DeletedGranule {
  readonly name: string;
  readonly conceptId: string;
}

/**
 * The concept id of a collection.
 * @throws FreshetError `dataset-file` for one that CMR does not know, or a name that several have; as `getJson`.
 */
export async function collectionId(
  { endpoint, provider }: CmrSearch,
  { id }: CmrCollection,
  signal: AbortSignal,
): Promise<string> {
  const query = new URLSearchParams(isConceptId(id) ? { concept_id: id } : { short_name: id });
  if (provider !== undefined) query.set("provider", provider);
  query.set("page_size", "20");
  const url = new URL(`search/collections.umm_json?${query}`, endpoint);
  const page = collectionsSchema.safeParse((await ask(url, signal)).value);
  if (!page.success) throw unreadable(url);
  const found = page.data.items.map(({ meta, umm }) => `${meta["concept-id"]} (version ${String(umm?.Version ?? "unknown")})`);
  const [first, ...others] = page.data.items;
  if (first !== undefined && others.length === 0) return first.meta["concept-id"];
  throw new FreshetError(
    "dataset-file",
    first === undefined ? "CMR does not know this collection" : "several collections have this name",
    {
      found: first === undefined ? id : found.join(", "),
      expected: first === undefined ? "a collection's short name or concept id" : "one",
      uri: endpoint,
      path: "from.collection",
      remedy:
        first === undefined
          ? "Correct from.collection, or the source's cmr.provider, in the dataset file"
          : "Name the one by its concept id in the dataset file",
    },
  );
}

/**
 * A page of a collection's granules, in the order of their revision dates.
 * @param after what the page before said (`next`).
 * @throws FreshetError as `getJson`; `malformed` for an answer that is no page, or pages without an end.
 */
export async function granulesPage(
  { endpoint }: CmrSearch,
  question: CmrQuestion,
  after: string | undefined,
  signal: AbortSignal,
): Promise<CmrPage> {
  const query = new URLSearchParams({ collection_concept_id: question.collectionId, page_size: `${PAGE}` });
  query.append("sort_key[]", "revision_date");
  for (const pattern of question.granules) query.append("readable_granule_name[]", pattern);
  if (question.granules.length > 0) query.append("options[readable_granule_name][pattern]", "true");
  if (question.revisedSinceMs !== undefined) query.append("revision_date[]", `${iso(question.revisedSinceMs)},`);
  if (question.temporal !== undefined) query.append("temporal[]", question.temporal.map(iso).join(","));
  const url = new URL(`search/granules.umm_json?${query}`, endpoint);
  const { value, headers } = await ask(url, signal, after === undefined ? {} : { "cmr-search-after": after });
  const page = pageSchema.safeParse(value);
  if (!page.success) throw unreadable(url);
  const granules = page.data.items.flatMap((item) => granuleOfItem(item) ?? []);
  const told = headers["cmr-search-after"];
  const next = page.data.items.length === 0 ? undefined : told;
  if (next !== undefined && (next === after || next.length > TOKEN_CHARACTERS))
    throw new FreshetError("malformed", "CMR's pages have no end", { found: "the same page again", uri: endpoint });
  return { granules, unreadable: page.data.items.length - granules.length, hits: page.data.hits, next };
}

/**
 * The collection's granules that were deleted since then, within the last year; CMR gives them in one answer.
 * @throws FreshetError as `getJson`; `malformed` for another answer.
 */
export async function deletedSince(
  { endpoint }: CmrSearch,
  collection: string,
  sinceMs: number,
  nowMs: number,
  signal: AbortSignal,
): Promise<DeletedGranule[]> {
  const query = new URLSearchParams({
    parent_collection_id: collection,
    revision_date: iso(Math.max(sinceMs, nowMs - DELETED_WITHIN_MS)),
  });
  const url = new URL(`search/deleted-granules.json?${query}`, endpoint);
  const deleted = deletedSchema.safeParse((await ask(url, signal)).value);
  if (!deleted.success) throw unreadable(url);
  return deleted.data.map((one) => ({ name: one["granule-ur"], conceptId: one["concept-id"] }));
}

/**
 * The metadata of one granule as they are now, by its concept id: also those that no search finds yet.
 * @throws FreshetError `source-missing` where CMR has none; as `getJson`.
 */
export async function granuleMetadata({ endpoint }: CmrSearch, conceptId: string, signal: AbortSignal): Promise<unknown> {
  const url = new URL(`search/concepts/${encodeURIComponent(conceptId)}.umm_json`, endpoint);
  return (await ask(url, signal)).value;
}

const collectionsSchema = z.looseObject({
  items: z.array(
    z.looseObject({
      meta: z.looseObject({ "concept-id": z.string().regex(/^C\d+-[A-Za-z0-9_]+$/) }),
      umm: z.looseObject({ Version: z.unknown() }).optional(),
    }),
  ),
});
const pageSchema = z.looseObject({ hits: z.number().optional(), items: z.array(z.unknown()).max(PAGE) });
const deletedSchema = z
  .array(z.looseObject({ "granule-ur": z.string().max(1_000), "concept-id": z.string().max(200) }))
  .max(MOST_DELETED);

function ask(url: URL, signal: AbortSignal, headers: Readonly<Record<string, string>> = {}): Promise<JsonAnswer> {
  return getJson(url, { limit: PAGE_BYTES, headers: { "client-id": "freshet", ...headers }, signal });
}

function isConceptId(id: string): boolean {
  return /^C\d+-[A-Za-z0-9_]+$/.test(id);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function unreadable(url: URL): FreshetError {
  return new FreshetError("malformed", "what CMR answers cannot be read", {
    expected: "its JSON",
    uri: `${url.origin}${url.pathname}`,
    remedy: "See that the source's cmr.endpoint is a CMR",
  });
}
