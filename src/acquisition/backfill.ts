import { open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Announcement, BackfillGranule, BackfillPage, BackfillSettled } from "../contract/index.ts";
import { compileNames, type Dataset, fieldsAt, heldUntil } from "../dataset/index.ts";
import { isFreshetError } from "../errors/index.ts";
import type { Ledger, NameFields } from "../ledger/index.ts";
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
  /**
   * Does with a granule what its workflow would do; false: it needs one.
   * @throws FreshetError `source-missing`.
   */
  readonly takeIn: (key: string, fields: NameFields, announcement: Announcement) => Promise<boolean>;
  readonly signal: AbortSignal;
  readonly onProgress: (what: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Takes in what the next `most` lines of a list (from `offset` bytes on) name, as far as it is there, and (unless `again`) the ledger has
 * nothing usable from that place. What the ledger has never heard of is taken in at once; the rest, and what does not go smoothly, is announced.
 * Into a mirror every granule is announced: its copy may take long, and goes on where it was. May run twice: granules that are announced twice are one.
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
  const counts = { ready: 0, waiting: 0, known: 0, absent: 0, foreign: 0, held: 0 };
  const one = async (uri: string): Promise<void> => {
    const fields = fieldsAt(dataset.source, names, uri);
    if (fields === undefined) {
      counts.foreign++;
      return;
    }
    const key = names.key(fields);
    if ((heldUntil(dataset, fields, context.now()) ?? 0) > context.now()) {
      counts.held++;
      return;
    }
    const revisions = await context.ledger.revisionsOf(dataset.name, key);
    const usable = revisions.find((other) => other.uri === uri && (other.state === "ready" || other.state === "published"));
    if (!list.again && usable !== undefined) {
      counts.known++;
      if (usable.state === "ready") counts.waiting++;
      return;
    }
    const announcement: Announcement = { uri, by: "backfill", heardMs: context.now(), isQuiet: true };
    const isNew = revisions.length === 0 && dataset.source.mirror === undefined;
    try {
      if (isNew && (await context.takeIn(key, fields, announcement))) {
        counts.ready++;
        return;
      }
    } catch (error) {
      if (!isFreshetError(error, "source-missing")) throw error;
      counts.absent++;
      return;
    }
    if ((await whyAbsent(dataset.source, uri, context.signal)) !== undefined) counts.absent++;
    else if (await context.announce(announcement)) announced.push({ key, uri });
    else counts.foreign++;
  };
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let at = next++; at < uris.length; at = next++) {
      context.signal.throwIfAborted();
      await one(uris[at] as string);
      context.onProgress(`${at + 1} of ${uris.length} uris`);
    }
  };
  const lanes = Array.from({ length: AT_ONCE }, () =>
    lane().catch((error: unknown) => {
      // The others end what they have begun, and begin nothing more.
      next = uris.length;
      throw error;
    }),
  );
  const failed = (await Promise.allSettled(lanes)).find(({ status }) => status === "rejected");
  if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
  return { offset, isEnd, announced, ...counts };
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
