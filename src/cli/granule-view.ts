import type { GranuleStage } from "../contract/index.ts";
import type { HistoryEntry, Ledger, Publication, Revision, RevisionState } from "../ledger/index.ts";
import type { OpenWorkflow, TemporalView } from "./temporal-view.ts";

/** Publications that are looked at for when a granule became readable. */
const MOST_PUBLICATIONS = 1_000;

/** Where one granule is, put together from Temporal and the ledger. Times in milliseconds since 1970. */
export interface GranuleView {
  readonly dataset: string;
  readonly key: string;
  /** The stage of its open workflow; of one that is over, the state of its newest revision. */
  readonly stage: GranuleStage | RevisionState;
  /** Number of the try that is under way or comes next; undefined where nothing is. */
  readonly attempt: number | undefined;
  /** What it waits for, or why it is where it is; "" where the stage says it all. */
  readonly waitsFor: string;
  readonly announcedMs: number | undefined;
  /** When the version appeared that first had its newest revision. */
  readonly readableMs: number | undefined;
  readonly changedMs: number;
  /** True while its workflow is open. */
  readonly isOpen: boolean;
  /** How often it was announced again without anything new, as far as Temporal remembers. */
  readonly repeats: number;
  readonly identity: string | undefined;
}

/**
 * The granules of a dataset that changed last, newest first, and every one that Temporal has open.
 * @param temporal undefined where there is no server to ask: then only the ledger speaks.
 */
export async function lookAtGranules(
  ledger: Ledger,
  temporal: TemporalView | undefined,
  dataset: string,
  limit: number,
): Promise<GranuleView[]> {
  const newest = await newestRevisions(ledger, dataset, limit);
  const publications = await ledger.publications(dataset, undefined, MOST_PUBLICATIONS);
  const keys = new Set([...(temporal?.granules.keys() ?? []), ...newest.keys()]);
  const views: GranuleView[] = [];
  for (const key of keys) {
    const revision = newest.get(key) ?? chief(await ledger.revisionsOf(dataset, key));
    const history = revision === undefined ? [] : await ledger.history(dataset, key);
    views.push(viewOf({ dataset, key }, revision, history, publications, temporal));
  }
  return views.sort((a, b) => b.changedMs - a.changedMs || (a.key < b.key ? -1 : 1));
}

/** One granule; undefined where neither knows of it. */
export async function lookAtGranule(
  ledger: Ledger,
  temporal: TemporalView | undefined,
  dataset: string,
  key: string,
): Promise<{ readonly view: GranuleView; readonly history: readonly HistoryEntry[] } | undefined> {
  const revision = chief(await ledger.revisionsOf(dataset, key));
  if (revision === undefined && temporal?.granules.has(key) !== true) return undefined;
  const history = await ledger.history(dataset, key);
  const publications = await ledger.publications(dataset, undefined, MOST_PUBLICATIONS);
  return { view: viewOf({ dataset, key }, revision, history, publications, temporal), history };
}

function viewOf(
  granule: { readonly dataset: string; readonly key: string },
  revision: Revision | undefined,
  history: readonly HistoryEntry[],
  publications: readonly Publication[],
  temporal: TemporalView | undefined,
): GranuleView {
  const open = temporal?.granules.get(granule.key);
  const own = history.filter(({ identity }) => identity === revision?.identity);
  const isSettled = revision?.state === "published" || revision?.state === "superseded";
  return {
    ...granule,
    stage: isSettled || open === undefined ? (revision?.state ?? "announced") : (open.stage as GranuleStage),
    attempt: open?.activity?.attempt,
    waitsFor: waitsFor(revision, open, isSettled),
    announcedMs: announcedMs(own) ?? open?.startedMs,
    readableMs: readableMs(own, publications),
    changedMs: Math.max(revision?.changedMs ?? 0, open?.startedMs ?? 0),
    isOpen: open !== undefined,
    repeats: temporal?.repeats.get(granule.key) ?? 0,
    identity: revision?.identity,
  };
}

function waitsFor(revision: Revision | undefined, open: OpenWorkflow | undefined, isSettled: boolean): string {
  if (open !== undefined && isSettled) return "announced again";
  if (open?.activity !== undefined)
    return open.activity.trouble === "" ? `activity ${open.activity.name}` : open.activity.trouble;
  if (revision?.state === "quarantined") return `a decision: ${revision.reason}`;
  if (revision?.state === "ready") return "the next publication";
  if (open !== undefined) return "a worker";
  // Of a revision that was only heard of, the reason says who announced it.
  return revision === undefined || revision.state === "heard" ? "" : revision.reason;
}

/** The earliest announcement of a revision. */
function announcedMs(history: readonly HistoryEntry[]): number | undefined {
  const heard = history.filter(({ state }) => state === "heard");
  const times = heard.map(({ detail, atMs }) => (typeof detail.announcedMs === "number" ? detail.announcedMs : atMs));
  return times.length === 0 ? undefined : Math.min(...times);
}

function readableMs(history: readonly HistoryEntry[], publications: readonly Publication[]): number | undefined {
  const first = history.find(({ publication }) => publication !== undefined)?.publication;
  return publications.find(({ product, sequence }) => product === first?.product && sequence === first?.sequence)?.atMs;
}

/** For each of the `limit` granules that changed last its newest revision that counts. */
async function newestRevisions(ledger: Ledger, dataset: string, limit: number): Promise<Map<string, Revision>> {
  let keys = new Set<string>();
  // A granule may have several revisions that changed lately.
  for (let asked = limit; ; asked *= 2) {
    const changed = await ledger.newest(dataset, asked);
    keys = new Set(changed.map(({ key }) => key));
    if (keys.size >= limit || changed.length < asked) break;
  }
  const newest = new Map<string, Revision>();
  for (const key of [...keys].slice(0, limit)) {
    const revision = chief(await ledger.revisionsOf(dataset, key));
    if (revision !== undefined) newest.set(key, revision);
  }
  return newest;
}

/** The revision that tells where the granule is: the newest one that has not given way to another. */
function chief(revisions: readonly Revision[]): Revision | undefined {
  return revisions.findLast(({ state }) => state !== "superseded" && state !== "duplicate") ?? revisions.at(-1);
}
