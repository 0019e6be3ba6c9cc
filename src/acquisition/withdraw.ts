import type { Announcement, GranuleReference, Withdrawal } from "../contract/index.ts";
import type { Dataset } from "../dataset/index.ts";
import type { Ledger, Revision } from "../ledger/index.ts";
import { allowedUri } from "./allowed.ts";
import { whyAbsent } from "./why-absent.ts";

/** States of a revision that readers see, or may come to see. */
const LIVE: readonly string[] = ["heard", "ready", "published", "quarantined"];

export interface WithdrawContext {
  readonly ledger: Ledger;
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * What follows from a source's word that a granule is gone. The source itself is asked: messages come late and out of order. Where it
 * has nothing there, the granule's revisions from that place are withdrawn, unless the dataset file says `keep` or there is a copy of
 * ours. May run twice.
 * @throws FreshetError as `openReader`, when the source does not answer; `source-refused` for a place that the source may not name.
 */
export async function withdrawAnnounced(
  granule: GranuleReference,
  dataset: Dataset,
  announcement: Announcement,
  { ledger, signal, now }: WithdrawContext,
): Promise<Withdrawal> {
  const uri = allowedUri(dataset.source, announcement.uri);
  const found = await whyAbsent(dataset.source, uri, signal);
  if (found === undefined) return { kind: "there", reason: "the source says that it is gone, and still has it" };
  const live: Revision[] = [];
  let earlier: Revision | undefined;
  for (const revision of await ledger.revisionsOf(dataset.name, granule.key)) {
    if (revision.uri !== uri) continue;
    if (LIVE.includes(revision.state)) live.push(revision);
    else if (revision.state === "withdrawn") earlier = revision;
  }
  if (live.length === 0) {
    if (earlier === undefined)
      return { kind: "unknown", reason: "the source says that it is gone; nothing of it came from there" };
    return { kind: "withdrawn", identity: earlier.identity, reason: earlier.reason ?? found };
  }
  const { identity } = live[0] as Revision;
  for (const { key, identity: of, state } of live)
    if (state === "published")
      await ledger.noteSource({ dataset: dataset.name, key, identity: of }, { state: "gone", found, atMs: now() });
  if (dataset.source.mirror !== undefined)
    return { kind: "kept", identity, reason: "the source has taken it back; our copy of it stays" };
  if (dataset.policies.withdrawn === "keep")
    return { kind: "kept", identity, reason: "the source has taken it back; the dataset file says withdrawn: keep" };
  const reason = `its source has taken it back: ${found}`;
  for (const { key, identity: of } of live)
    await ledger.record({ dataset: dataset.name, key, identity: of, state: "withdrawn", reason });
  return { kind: "withdrawn", identity, reason };
}
