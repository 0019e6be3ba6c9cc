import type { Announcement, Listed, ListingPlace } from "../contract/index.ts";
import type { Dataset, Source } from "../dataset/index.ts";
import { FreshetError, isFreshetError } from "../errors/index.ts";
import { isExpired, type Ledger, type Revision } from "../ledger/index.ts";
import { type ListedFile, type ListedPage, listPage } from "../storage/index.ts";
import { listedPlaces } from "./listed-places.ts";
import { accessOf } from "./open-source.ts";
import { comparableUri, type StandingFile, StandingFiles } from "./standing-files.ts";
import { lookAtSource } from "./sweep.ts";

/** One part of a listing ends after so many files or folders: then Temporal holds how far it is. */
const FILES = 5_000;
const FOLDERS = 200;
/** Files that are held against the ledger, and announced, at once. */
const AT_ONCE = 8;
/** Folders that it looks into: so many below the source's `at`, and so many that wait at one time. */
const MOST_DEPTH = 12;
const MOST_WAITING = 5_000;
/** Refused folders of a part that are told by name. */
const MOST_NOTES = 5;
/** Dates of an index stand in a zone that it does not name; all zones differ by quarters of an hour. */
const QUARTER_MS = 15 * 60_000;

export interface ListingContext {
  readonly ledger: Ledger;
  /** The datasets whose source it is. */
  readonly datasets: readonly Dataset[];
  /** Which granules of which datasets a uri is. */
  readonly routes: (uri: string) => Promise<readonly { readonly dataset: Dataset; readonly key: string }[]>;
  /** Announces to one dataset. */
  readonly announce: (dataset: string, announcement: Announcement) => Promise<void>;
  /** Also what an earlier look has found gone is announced as removed, while it stands. Default: no. */
  readonly isGoneToldAgain?: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (done: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Looks at a part of what the listing of a source names, from `at` on. Dataset files may each declare it in their own way: what all of them
 * name is looked at. A file that a dataset's grammar knows is announced unless the ledger
 * has it in that state. A granule that is ready or published and whose file is gone is announced as removed, if the page that it stood
 * on was read whole; but where most are gone at once that is an outage, and none is; and where the file itself says that it is there, it stays. May run twice.
 * @throws FreshetError as `listPage`: but a folder that is not there is counted, and one that is refused is noted, unless all are.
 */
export async function listSource(
  sources: readonly Source[],
  at: ListingPlace | undefined,
  context: ListingContext,
): Promise<Listed> {
  const { ledger, datasets, signal, onProgress } = context;
  const places = [...new Set(sources.flatMap((source) => listedPlaces(source, context.now())))];
  const waiting = [...(at?.folders ?? places.toReversed())];
  let after = at?.after;
  // Before the first page is asked for: what comes later cannot be missing from it.
  const standing = await StandingFiles.below(waiting, datasets, ledger, signal);
  const sums = { looked: 0, announced: 0, known: 0, foreign: 0, absent: 0 };
  const gone = new Set<StandingFile>();
  let covered = 0;
  const refused: FreshetError[] = [];
  let isListed = false;
  for (let folders = 0; folders < FOLDERS && sums.looked < FILES; folders++) {
    const folder = waiting.pop();
    if (folder === undefined) break;
    const source = sourceOf(folder, sources);
    // The dataset file has changed since this listing began.
    if (source === undefined) continue;
    const page = await pageOf(source, folder, after, signal);
    if (page === "absent" || page instanceof FreshetError) {
      if (page === "absent") sums.absent++;
      else refused.push(page);
      after = undefined;
      continue;
    }
    isListed = true;
    onProgress(`${folder}: ${page.files.length} files, ${page.folders.length} folders`);
    for (let from = 0; from < page.files.length; from += AT_ONCE) {
      signal.throwIfAborted();
      const some = page.files.slice(from, from + AT_ONCE).map((file) => takeNoteOf(file, source, standing, context));
      for (const { announced, known } of await Promise.all(some)) {
        sums.looked++;
        sums.announced += announced;
        sums.known += known;
        if (announced + known === 0) sums.foreign++;
      }
    }
    const should = standing.where(coveredBy(folder, page, after));
    const present = new Set(page.files.map(({ uri }) => comparableUri(uri)));
    covered += should.length;
    for (const file of should) if (!present.has(file.place)) gone.add(file);
    after = page.next;
    if (after !== undefined) waiting.push(folder);
    else waiting.push(...foldersIn(page, places, source).toReversed());
    if (waiting.length > MOST_WAITING) throw tooManyFolders(source, waiting.length);
  }
  if (!isListed && refused[0] !== undefined) throw refused[0];
  const { removed, notes } = await announceRemovals([...gone], covered, context);
  const next = waiting.length === 0 ? undefined : { folders: waiting, ...(after === undefined ? {} : { after }) };
  return { ...sums, removed, notes: [...refused.slice(0, MOST_NOTES).map(({ message }) => message), ...notes], next };
}

/** The next page; that there is no such folder, or why it is not given to us. */
async function pageOf(
  source: Source,
  folder: string,
  after: string | undefined,
  signal: AbortSignal,
): Promise<ListedPage | "absent" | FreshetError> {
  try {
    return await listPage(folder, after, await accessOf(source, folder, signal));
  } catch (error) {
    if (isFreshetError(error, "source-missing")) return "absent";
    if (isFreshetError(error, "source-refused", "unsupported")) return error;
    throw error;
  }
}

async function takeNoteOf(
  file: ListedFile,
  source: Source,
  standing: StandingFiles,
  { ledger, routes, announce, signal, now }: ListingContext,
): Promise<{ readonly announced: number; readonly known: number }> {
  let announced = 0;
  let known = 0;
  const place = comparableUri(file.uri);
  for (const { dataset, key } of await routes(file.uri)) {
    const revision = standing.at(place, dataset.name) ?? currentAt(place, await ledger.revisionsOf(dataset.name, key));
    if (revision !== undefined && (await isAsListed(revision, file, source, signal))) known++;
    else {
      await announce(dataset.name, { uri: file.uri, by: "listing", heardMs: now() });
      announced++;
    }
  }
  return { announced, known };
}

/** What the ledger takes to be at a place now, if somebody has seen it there; undefined where it was taken back. */
function currentAt(place: string, revisions: readonly Revision[]): Revision | undefined {
  const seen = revisions.filter(({ uri, size }) => size !== undefined && uri !== undefined && comparableUri(uri) === place);
  const current = seen.findLast(({ state }) => state !== "superseded") ?? seen.at(-1);
  return current?.state === "withdrawn" && !isExpired(current) ? undefined : current;
}

/** By all that the listing says of a file. An index's date is a hint: where it does not fit, the file itself is asked. */
async function isAsListed(revision: Revision, file: ListedFile, source: Source, signal: AbortSignal): Promise<boolean> {
  if (file.size !== undefined && file.size !== revision.size) return false;
  if (file.etag !== undefined && revision.etag !== undefined) return file.etag === revision.etag;
  if (file.lastModifiedMs !== undefined) return file.lastModifiedMs === revision.lastModifiedMs;
  if (file.shownMs === undefined || revision.lastModifiedMs === undefined) return true;
  const minute = Math.floor(revision.lastModifiedMs / 60_000) * 60_000;
  if ((file.shownMs - minute) % QUARTER_MS === 0) return true;
  const finding = await lookAtSource(revision, source, signal);
  return finding.kind !== "changed";
}

/** Which places a page says everything about. */
function coveredBy(folder: string, page: ListedPage, after: string | undefined): (place: string) => boolean {
  const prefix = comparableUri(folder);
  if (folder.startsWith("s3:")) {
    // Keys come in the order of their bytes.
    const bucket = prefix.slice(0, prefix.indexOf("/", "s3://".length) + 1);
    const from = after === undefined ? undefined : Buffer.from(bucket + after);
    const to = page.next === undefined ? undefined : Buffer.from(bucket + page.next);
    return (place) => {
      if (!place.startsWith(prefix)) return false;
      const bytes = Buffer.from(place);
      return (from === undefined || bytes.compare(from) > 0) && (to === undefined || bytes.compare(to) <= 0);
    };
  }
  const folders = new Set(page.folders.map(comparableUri));
  return (place) => {
    if (!place.startsWith(prefix)) return false;
    const end = place.indexOf("/", prefix.length);
    // What is in a folder that is there is for that folder's page to say.
    return end < 0 || !folders.has(place.slice(0, end + 1));
  };
}

/** Those that are not looked at anyway, and not too deep. */
export function foldersIn({ folders }: ListedPage, places: readonly string[], { at }: Source): string[] {
  return folders.filter((folder) => !places.includes(folder) && folder.slice(at.length).split("/").length - 1 <= MOST_DEPTH);
}

function sourceOf(folder: string, sources: readonly Source[]): Source | undefined {
  return sources.filter(({ at }) => folder.startsWith(at)).sort((a, b) => b.at.length - a.at.length)[0];
}

async function announceRemovals(
  gone: readonly StandingFile[],
  covered: number,
  { announce, now, onProgress, signal, isGoneToldAgain = false }: ListingContext,
): Promise<{ readonly removed: number; readonly notes: readonly string[] }> {
  const news = gone.filter(({ isKnownGone }) => isGoneToldAgain || !isKnownGone);
  if (gone.length > 1 && gone.length > covered / 2) {
    const note = `${gone.length} of ${covered} granules are not listed any more: more likely a server's trouble than its word, none is announced`;
    return { removed: 0, notes: news.length === 0 ? [] : [note] };
  }
  let removed = 0;
  for (const { dataset, revision } of news) {
    // An index need not show everything that a server has.
    const finding = await lookAtSource(revision, dataset.source, signal);
    if (finding.kind !== "gone") continue;
    removed++;
    await announce(dataset.name, { uri: revision.uri as string, by: "listing", heardMs: now(), removed: true });
    onProgress(`${revision.key} is gone`);
  }
  return { removed, notes: [] };
}

function tooManyFolders({ name }: Source, found: number): FreshetError {
  return new FreshetError("dataset-file", "a listing meets too many folders", {
    found: `${found} at one time`,
    expected: `at most ${MOST_WAITING}`,
    path: `sources.${name}.listing`,
    remedy: "Name the folders with granules (below)",
  });
}
