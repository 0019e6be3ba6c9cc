import { open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Announcement, BackfillGranule, BackfillPage, BackfillSettled } from "../contract/index.ts";
import { compileNames, type Dataset, fieldsAt, heldUntil } from "../dataset/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { whyAbsent } from "./why-absent.ts";

/** A uri has at most 4 096 characters, of at most 3 bytes each once escaped. */
const LINE_BYTES = 4_096 * 3;
/** Sources that are asked at once. */
const AT_ONCE = 8;
/** Who waits for granules looks this often, and goes away with nothing after so long. */
const LOOK_MS = 250;
const LOOK_FOR_MS = 20_000;

export interface BackfillContext {
  readonly ledger: Ledger;
  /** Announces to this dataset; false: it does not know the name. */
  readonly announce: (announcement: Announcement) => Promise<boolean>;
  readonly signal: AbortSignal;
  readonly onProgress: (what: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Announces what the next `most` lines of a list (from `offset` bytes on) name, as far as it is there, and (unless `again`) the ledger has
 * nothing usable from that place. May run twice: granules that are announced twice are one.
 * @throws FreshetError as `openSource`, when a source does not answer.
 */
export async function announceList(
  dataset: Dataset,
  list: { readonly uri: string; readonly offset: number; readonly most: number; readonly again: boolean },
  context: BackfillContext,
): Promise<BackfillPage> {
  const { uris, offset, isEnd } = await readLines(fileURLToPath(list.uri), list.offset, list.most);
  const names = compileNames(dataset.match);
  const announced: BackfillGranule[] = [];
  let known = 0;
  let absent = 0;
  let foreign = 0;
  let held = 0;
  const one = async (uri: string): Promise<void> => {
    const fields = fieldsAt(dataset.source, names, uri);
    if (fields === undefined) {
      foreign++;
      return;
    }
    const key = names.key(fields);
    if ((heldUntil(dataset, fields, context.now()) ?? 0) > context.now()) held++;
    else if (!list.again && (await isKnown(context.ledger, dataset.name, key, uri))) known++;
    else if ((await whyAbsent(dataset.source, uri, context.signal)) !== undefined) absent++;
    else if (await context.announce({ uri, by: "backfill", heardMs: context.now(), isQuiet: true })) announced.push({ key, uri });
    else foreign++;
  };
  for (let at = 0; at < uris.length; at += AT_ONCE) {
    await Promise.all(uris.slice(at, at + AT_ONCE).map(one));
    context.onProgress(`${Math.min(at + AT_ONCE, uris.length)} of ${uris.length} uris`);
    context.signal.throwIfAborted();
  }
  return { offset, isEnd, announced, known, absent, foreign, held };
}

/** Which of these granules have ended, by the ledger. Waits until one has, for a while. */
export async function settleGranules(
  dataset: string,
  pending: readonly BackfillGranule[],
  { ledger, signal, onProgress }: Pick<BackfillContext, "ledger" | "signal" | "onProgress">,
): Promise<BackfillSettled> {
  for (let waited = 0; ; waited += LOOK_MS) {
    const left: BackfillGranule[] = [];
    const counts = { ready: 0, quarantined: 0, others: 0 };
    for (const granule of pending) {
      const state = await endOf(ledger, dataset, granule);
      if (state === undefined) left.push(granule);
      else counts[state]++;
    }
    if (left.length < pending.length || waited >= LOOK_FOR_MS) return { pending: left, ...counts };
    onProgress(`waiting for ${left.length} granules`);
    await sleep(LOOK_MS, undefined, { signal });
  }
}

/** How the revision that was heard last from that place ended; undefined while it is under way. */
async function endOf(
  ledger: Ledger,
  dataset: string,
  { key, uri }: BackfillGranule,
): Promise<"ready" | "quarantined" | "others" | undefined> {
  const revisions = await ledger.revisionsOf(dataset, key);
  const [last] = revisions.filter((revision) => revision.uri === uri).toSorted((a, b) => b.changedSeq - a.changedSeq);
  // The same bytes were heard of from another place.
  if (last === undefined && revisions.some(({ state }) => state === "published")) return "others";
  switch (last?.state) {
    case undefined:
    case "heard":
      return undefined;
    case "ready":
    case "published":
      return "ready";
    case "quarantined":
      return "quarantined";
    default:
      return "others";
  }
}

async function isKnown(ledger: Ledger, dataset: string, key: string, uri: string): Promise<boolean> {
  const revisions = await ledger.revisionsOf(dataset, key);
  return revisions.some((revision) => revision.uri === uri && (revision.state === "ready" || revision.state === "published"));
}

async function readLines(path: string, offset: number, most: number) {
  const file = await open(path);
  try {
    const buffer = Buffer.alloc(most * LINE_BYTES);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
    const text = buffer.subarray(0, bytesRead);
    const uris: string[] = [];
    let at = 0;
    while (uris.length < most && at < bytesRead) {
      const end = text.indexOf(0x0a, at);
      const line = text.toString("utf8", at, end < 0 ? bytesRead : end).trim();
      at = end < 0 ? bytesRead : end + 1;
      if (line !== "") uris.push(line);
    }
    return { uris, offset: offset + at, isEnd: at >= bytesRead };
  } finally {
    await file.close();
  }
}
