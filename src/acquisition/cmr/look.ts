import type { Announcement, CmrPlace, CmrSearched, CmrSince } from "../../contract/index.ts";
import { type CmrCollection, type CmrSearch, compileNames, type Dataset, type NameReader } from "../../dataset/index.ts";
import { isFreshetError } from "../../errors/index.ts";
import type { Ledger, Revision } from "../../ledger/index.ts";
import { StandingFiles } from "../standing-files.ts";
import { collectionId, deletedSince, granulesPage } from "./client.ts";
import { type CmrGranule, type CmrLink, lastSegment } from "./granule.ts";
import { linksFor } from "./links.ts";

/** One part of a look ends after so many granules: then Temporal holds how far it is. */
const GRANULES = 2_000;
/** Granules that are held against the ledger, and announced, at once. */
const AT_ONCE = 8;
/** What is revised shows up in searches after a while, and clocks differ: each look begins so much before the last one. */
const OVERLAP_MS = 3_600_000;

export interface CmrContext {
  readonly ledger: Ledger;
  /** Those that the source's CMR is asked for. */
  readonly datasets: readonly Dataset[];
  /** Announces to one dataset. */
  readonly announce: (dataset: string, announcement: Announcement) => Promise<void>;
  readonly signal: AbortSignal;
  readonly onProgress: (done: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A collection that is asked for, and the datasets that want it. */
interface Search {
  readonly cmr: CmrSearch;
  readonly collection: CmrCollection;
  readonly wanted: readonly Wanting[];
}

interface Wanting {
  readonly dataset: Dataset;
  readonly names: NameReader;
}

/**
 * Looks at a part of what CMR has of the collections of a source's datasets, revised since the last look, from `at` on. A granule is announced,
 * by the link that its dataset's source may name, unless the ledger has it and heard of it after CMR's revision. One that CMR has deleted is announced
 * as removed, where the ledger has it ready or published: then the source itself is asked. May run twice.
 * @param since where each search begins, by its key; one that is not in it goes back as far as the source's `cmr.back` says.
 * @throws FreshetError as `granulesPage`, `collectionId`: but a collection that CMR does not know is noted, unless there is no other.
 */
export async function lookAtCmr(at: CmrPlace | undefined, since: CmrSince, context: CmrContext): Promise<CmrSearched> {
  const { datasets, signal, now } = context;
  const searches = searchesOf(datasets);
  const waiting = [...(at?.searches ?? [...searches.keys()].toReversed())];
  let begun = at?.begun;
  const sums = { looked: 0, announced: 0, known: 0, foreign: 0, removed: 0 };
  const notes: string[] = [];
  const ended: Record<string, number> = {};
  let firstForeign: string | undefined;
  while (waiting.length > 0 && sums.looked < GRANULES) {
    signal.throwIfAborted();
    const key = waiting.at(-1) as string;
    const search = searches.get(key);
    // The dataset file has changed since this look began.
    if (search === undefined) {
      waiting.pop();
      begun = undefined;
      continue;
    }
    const { cmr, collection, wanted } = search;
    const atMs = begun?.atMs ?? now();
    const sinceMs = begun?.sinceMs ?? (since[key] === undefined ? atMs - cmr.backMs : since[key] - OVERLAP_MS);
    let id: string;
    try {
      id = begun?.collection ?? (await collectionId(cmr, collection, signal));
    } catch (error) {
      if (!isFreshetError(error, "dataset-file") || searches.size === 1) throw error;
      notes.push(error.message);
      waiting.pop();
      continue;
    }
    const question = { collectionId: id, granules: collection.granules, revisedSinceMs: sinceMs };
    const page = await granulesPage(cmr, question, begun?.after, signal);
    context.onProgress(`${collection.id}: ${page.granules.length} granules of ${page.hits ?? "some"}`);
    if (page.unreadable > 0) notes.push(`${collection.id}: ${page.unreadable} granules cannot be read: no UMM-G`);
    for (let from = 0; from < page.granules.length; from += AT_ONCE) {
      signal.throwIfAborted();
      const some = page.granules.slice(from, from + AT_ONCE);
      for (const [index, took] of (await Promise.all(some.map((one) => takeNoteOf(one, search, context)))).entries()) {
        sums.looked++;
        sums.announced += took.announced;
        sums.known += took.known;
        if (took.announced + took.known > 0) continue;
        sums.foreign++;
        firstForeign ??= some[index]?.links[0]?.uri ?? `${some[index]?.name} without a link`;
      }
    }
    if (page.next !== undefined) {
      begun = { collection: id, sinceMs, atMs, after: page.next };
      continue;
    }
    sums.removed += await announceDeleted(cmr, id, sinceMs, wanted, context);
    ended[key] = atMs;
    begun = undefined;
    waiting.pop();
  }
  if (firstForeign !== undefined)
    notes.push(`of ${sums.foreign} granules no link is one that a dataset knows, such as ${firstForeign}`);
  const next = waiting.length === 0 ? undefined : { searches: waiting, ...(begun === undefined ? {} : { begun }) };
  return { ...sums, since: ended, notes, next };
}

/** Several datasets may want one collection: it is asked for once. */
function searchesOf(datasets: readonly Dataset[]): ReadonlyMap<string, Search> {
  const searches = new Map<string, Search & { readonly wanted: Wanting[] }>();
  for (const dataset of datasets) {
    const { source, collection } = dataset;
    if (source.cmr === undefined || collection === undefined) continue;
    const { endpoint, provider } = source.cmr;
    const key = [endpoint, provider ?? "", collection.id, ...collection.granules].join(" ");
    const search = searches.get(key) ?? { cmr: source.cmr, collection, wanted: [] };
    search.wanted.push({ dataset, names: compileNames(dataset.match) });
    searches.set(key, search);
  }
  return searches;
}

async function takeNoteOf(
  granule: CmrGranule,
  { wanted }: Search,
  { ledger, announce, now }: CmrContext,
): Promise<{ readonly announced: number; readonly known: number }> {
  let announced = 0;
  let known = 0;
  for (const { dataset, names } of wanted) {
    for (const { key, link } of linksFor(dataset, names, granule.links)) {
      const revisions = await ledger.revisionsOf(dataset.name, key);
      if (revisions.some((revision) => isAsTold(revision, link, granule.revisionMs))) known++;
      else {
        const { uri, ...promised } = promisedBy(link, dataset.source.cmr as CmrSearch);
        await announce(dataset.name, { uri, by: "cmr", heardMs: now(), ...promised });
        announced++;
      }
    }
  }
  return { announced, known };
}

/** What an announcement promises of a link's bytes. */
export function promisedBy({ uri, size, checksum }: CmrLink, { checksums }: Pick<CmrSearch, "checksums">) {
  return { uri, ...(size === undefined ? {} : { size }), ...(checksum === undefined || !checksums ? {} : { checksum }) };
}

/** What the ledger has of a place, if it looked there after CMR's revision. Of what was taken back nothing counts. */
function isAsTold(revision: Revision, { uri, size }: CmrLink, revisionMs: number): boolean {
  if (revision.uri !== uri || revision.state === "withdrawn" || revision.state === "superseded") return false;
  return revision.heardMs >= revisionMs && (size === undefined || size === revision.size);
}

async function announceDeleted(
  cmr: CmrSearch,
  collection: string,
  sinceMs: number,
  wanted: readonly Wanting[],
  { ledger, announce, signal, now, onProgress }: CmrContext,
): Promise<number> {
  const deleted = await deletedSince(cmr, collection, sinceMs, now(), signal);
  if (deleted.length === 0) return 0;
  onProgress(`${deleted.length} granules were deleted`);
  const names = new Set(deleted.map(({ name }) => name));
  let removed = 0;
  for (const { dataset } of wanted) {
    const { at, allow } = dataset.source;
    const standing = await StandingFiles.below([at, ...allow], [dataset], ledger, signal);
    for (const { revision, isKnownGone } of standing.where(() => true)) {
      if (isKnownGone || revision.uri === undefined || !isNamed(revision.uri, names)) continue;
      await announce(dataset.name, { uri: revision.uri, by: "cmr", heardMs: now(), removed: true });
      removed++;
    }
  }
  return removed;
}

/** By its file's name, with or without what follows the last dot; some providers put `SHORT_NAME.VERSION:` before it. */
function isNamed(uri: string, names: ReadonlySet<string>): boolean {
  const file = lastSegment(uri);
  const stem = file.includes(".") ? file.slice(0, file.lastIndexOf(".")) : file;
  if (names.has(file) || names.has(stem)) return true;
  for (const name of names) if (name.endsWith(`:${file}`) || name.endsWith(`:${stem}`)) return true;
  return false;
}
