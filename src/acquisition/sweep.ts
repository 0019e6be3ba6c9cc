import type { Announcement } from "../contract/index.ts";
import type { Dataset, Source } from "../dataset/index.ts";
import { isFreshetError } from "../errors/index.ts";
import { type Ledger, type MissingSource, type Revision, revisionIdentity } from "../ledger/index.ts";
import { openSource } from "./open-source.ts";

/** Granules to a page, and how many of their sources are asked at once. */
const PAGE = 200;
const AT_ONCE = 8;

export interface SweepContext {
  readonly ledger: Ledger;
  readonly announce: (announcement: Announcement) => Promise<void>;
  readonly signal: AbortSignal;
  readonly onProgress: (done: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What a page of a sweep found; see `Swept`. */
export interface SweptPage {
  readonly looked: number;
  readonly changed: number;
  readonly gone: number;
  readonly silent: number;
  readonly withdrawn: number;
  readonly afterKey: string | undefined;
}

/** A source against what the ledger heard of it. `silent`: it did not answer, or not with the bytes. */
export type Finding = { readonly kind: "same" | "silent" } | { readonly kind: "changed" | "gone"; readonly found: string };

/**
 * Asks the sources of published granules whether they still are what the ledger heard of, a page of them from `afterKey`
 * (exclusive) on. What is not is noted, so that versions can list it. A source that changed is announced again, so that its new
 * revision takes its place; one that was gone at an earlier sweep too is withdrawn, where the dataset file says so and there is
 * no copy of ours. A whole page of sources that are gone is more likely a server's trouble than the agency's word: nothing of
 * it is withdrawn.
 */
export async function sweepPage(dataset: Dataset, afterKey: string | undefined, context: SweepContext): Promise<SweptPage> {
  const { ledger, now } = context;
  const missing = new Map((await ledger.missingSources(dataset.name)).map((source) => [idOf(source), source]));
  const page = await ledger.standing(dataset.name, { limit: PAGE, ...(afterKey === undefined ? {} : { afterKey }) });
  const published = page.filter(({ state, uri }) => state === "published" && uri !== undefined);
  const findings = await lookAtSources(published, dataset.source, context);
  const count = (kind: Finding["kind"]): number => [...findings.values()].filter((finding) => finding.kind === kind).length;
  const outage = isOutage([...findings.values()]);
  let withdrawn = 0;
  for (const [revision, finding] of findings) {
    const { dataset: of, key, identity, uri, fields } = revision;
    const id = { dataset: of, key, identity };
    const before = missing.get(idOf(revision));
    switch (finding.kind) {
      case "silent":
        break;
      case "same":
        if (before !== undefined) await ledger.noteSource(id, { state: "back", found: "as it was", atMs: now() });
        break;
      case "changed":
        await ledger.noteSource(id, { state: "changed", found: finding.found, atMs: now() });
        await context.announce({ uri: uri as string, by: "sweep", heardMs: now(), fields });
        break;
      case "gone":
        await ledger.noteSource(id, { state: "gone", found: finding.found, atMs: now() });
        if (outage || !isToLeave(before, dataset, now())) break;
        await ledger.record({ ...id, state: "withdrawn", reason: `its source has taken it back: ${finding.found}` });
        withdrawn++;
    }
  }
  const last = page.at(-1);
  return {
    looked: findings.size,
    changed: count("changed"),
    gone: count("gone"),
    silent: count("silent"),
    withdrawn,
    afterKey: last?.key,
  };
}

/** What is where each of the revisions came from. */
export async function lookAtSources(
  revisions: readonly Revision[],
  source: Source,
  { signal, onProgress }: Pick<SweepContext, "signal" | "onProgress">,
): Promise<Map<Revision, Finding>> {
  const findings = new Map<Revision, Finding>();
  for (let at = 0; at < revisions.length; at += AT_ONCE) {
    const some = revisions.slice(at, at + AT_ONCE);
    const found = await Promise.all(some.map((revision) => lookAtSource(revision, source, signal)));
    for (const [index, finding] of found.entries()) findings.set(some[index] as Revision, finding);
    onProgress(`${findings.size} of ${revisions.length} sources`);
  }
  return findings;
}

/** Most of them gone at once is more likely a server's trouble than the agency's word. */
export function isOutage(findings: readonly Finding[]): boolean {
  const gone = findings.filter(({ kind }) => kind === "gone").length;
  return gone > 1 && gone > findings.length / 2;
}

/** What is where the revision came from. */
export async function lookAtSource(revision: Revision, source: Source, signal: AbortSignal): Promise<Finding> {
  try {
    const reader = await openSource(source, revision.uri as string, signal);
    await reader.close();
    const { size, etag, lastModifiedMs } = reader.identity;
    const isSame = revision.size === size && revision.etag === etag && revision.lastModifiedMs === lastModifiedMs;
    return isSame ? { kind: "same" } : { kind: "changed", found: revisionIdentity(reader.identity) };
  } catch (error) {
    if (isFreshetError(error, "source-missing")) return { kind: "gone", found: error.summary };
    if (isFreshetError(error)) return { kind: "silent" };
    throw error;
  }
}

/** Seen gone by an earlier sweep too, and nobody can read it any more. */
function isToLeave(before: MissingSource | undefined, { policies, source, maintenance }: Dataset, nowMs: number): boolean {
  if (policies.withdrawn === "keep" || source.mirror !== undefined) return false;
  return before?.state === "gone" && nowMs - before.sinceMs >= maintenance.sweepMs / 2;
}

function idOf({ key, identity }: { readonly key: string; readonly identity: string }): string {
  return `${key}\n${identity}`;
}
