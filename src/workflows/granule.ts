import { defineSearchAttributeKey } from "@temporalio/common";
import {
  ActivityFailure,
  type ActivityInterfaceFor,
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from "@temporalio/workflow";
import type {
  Announcement,
  Decision,
  Downloaded,
  GranuleActivities,
  GranuleInput,
  GranuleReference,
  GranuleResult,
  GranuleStage,
  Refused,
  Scanned,
} from "../contract/index.ts";
import { isOtherPromise, isSamePlace, withAnnouncement } from "./announcements.ts";
import { announceSignal, decideUpdate, granuleStatusQuery } from "./messages.ts";
import { rootMessage } from "./root-message.ts";

const STAGE = defineSearchAttributeKey("FreshetStage", "KEYWORD");
/** A source that changes while it is read is looked at again this often, with a pause; then it is for people. */
const CHANGING_TRIES = 5;
const CHANGING_PAUSE_MS = 2_000;
/** What waiting for a turn, and copying, may take beyond the deadline of a source. */
const COPY_MS = 24 * 3_600_000;
/** Histories from before have none of it: there an announcement was waited for to its end. */
const NEWER_FIRST = "newer-announcement-first";
/** Identity in the ledger of a granule whose bytes never came. */
const NEVER_SEEN = "unresolved";

/**
 * The life of one granule: each announcement is resolved to a revision, scanned, held against the dataset and recorded.
 * It ends when nothing is left to look at; a revision that cannot be used waits here for an operator's decision or for a
 * better revision.
 */
export async function granule(input: GranuleInput): Promise<GranuleResult> {
  const { dataset, key, fields } = input;
  const reference: GranuleReference = { dataset, key, fields };
  const { download, scan, record, withdraw } = activitiesFor(input);

  let waiting = input.waiting;
  let stage: GranuleStage = "announced";
  let reason = "";
  let current: Announcement | undefined;
  let identity: string | undefined;
  let announcements = 0;
  let decision: Decision | undefined;
  let changing = 0;
  /** Announcements that a newer one of their place has cut short: events come out of order, so they may yet be the true ones. */
  let cutShort: readonly Announcement[] = [];
  /** The revision whose form an operator has accepted. */
  let accepted: string | undefined;

  const enter = (next: GranuleStage, why: string): void => {
    stage = next;
    reason = why;
    setCurrentDetails(describe(next, why, current, identity));
    upsertSearchAttributes([{ key: STAGE, value: next }]);
  };

  setHandler(announceSignal, (announcement) => {
    announcements++;
    waiting = withAnnouncement(waiting, announcement);
  });
  setHandler(granuleStatusQuery, () => ({ stage, dataset, key, uri: current?.uri, identity, reason, announcements }));
  setHandler(
    decideUpdate,
    async (decided) => {
      decision = decided;
      await condition(() => decision === undefined);
      return decided.action === "skip" ? stage : "awaiting";
    },
    {
      validator: (decided) => {
        if (stage !== "quarantined") throw new Error(`only a granule in quarantine waits for a decision; this one is ${stage}`);
        if (!["retry", "skip", "accept"].includes(decided.action))
          throw new Error(`an action is "retry", "skip" or "accept", not ${JSON.stringify(decided.action)}`);
        if (decided.action === "accept" && identity === undefined)
          throw new Error("its bytes never came, so there is nothing to accept");
      },
    },
  );

  let result: GranuleResult | undefined;
  await condition(() => waiting.length > 0);
  if (input.notBeforeMs !== undefined && input.notBeforeMs > Date.now()) {
    enter("announced", `held off until ${new Date(input.notBeforeMs).toISOString()}: its source may yet correct it`);
    await sleep(input.notBeforeMs - Date.now());
    // Only what was said last counts: the source is asked for what is there now.
    waiting = waiting.slice(-1);
  }
  while (waiting.length > 0) {
    current = waiting[0] as Announcement;
    waiting = waiting.slice(1);
    identity = undefined;

    if (current.removed === true) {
      enter("awaiting", `is ${current.uri} gone, as its source says?`);
      const withdrawal = await withdraw(reference, current).catch((error: unknown) => {
        if (!(error instanceof ActivityFailure)) throw error;
        // The sweep of the sources will find it.
        return {
          kind: "unknown",
          reason: `the source says that it is gone, and could not be asked: ${rootMessage(error)}`,
        } as const;
      });
      if (withdrawal.kind === "there") waiting = [{ ...current, removed: undefined }, ...waiting];
      else if (withdrawal.kind === "withdrawn") {
        enter("withdrawn", withdrawal.reason);
        result = { stage: "withdrawn", identity: withdrawal.identity, reason: withdrawal.reason };
      } else {
        enter("skipped", withdrawal.reason);
        result ??= {
          stage: "skipped",
          identity: "identity" in withdrawal ? withdrawal.identity : NEVER_SEEN,
          reason: withdrawal.reason,
        };
      }
      continue;
    }

    let downloaded: Downloaded | undefined;
    let trouble: string;
    const said = current;
    /** What is known already contradicts nothing: of two announcements that wait, the first has its turn. */
    const known = waiting;
    try {
      enter("awaiting", `looking for ${current.uri}`);
      downloaded = await untilContradicted(
        () => download(reference, said),
        () => waiting.some((other) => !known.includes(other) && isOtherPromise(said, other)),
      );
      if (downloaded === undefined) {
        cutShort = [...cutShort, said];
        continue;
      }
      identity = downloaded.identity;
      cutShort = cutShort.filter((other) => !isSamePlace(said, other));
      if (downloaded.known !== undefined) {
        const why = `this revision is ${downloaded.known} already`;
        // Announced twice in one life: what was done with it stays the end of the story.
        if (result?.identity === identity) enter(result.stage, `${result.reason}; announced again`);
        else {
          enter("duplicate", why);
          result = { stage: "duplicate", identity, reason: why };
        }
        continue;
      }
      enter("scanning", `${downloaded.size} bytes`);
      const scanned: Scanned | Refused = await scan(reference, downloaded, identity === accepted);
      if ("refused" in scanned) {
        await record(reference, current, identity, { state: "skipped", reason: scanned.refused });
        enter("skipped", scanned.refused);
        result = { stage: "skipped", identity, reason: scanned.refused };
        continue;
      }
      enter("recording", `${scanned.references} references`);
      await record(reference, current, identity, { state: "ready", scanned });
      enter("ready", `${scanned.references} references, ${scanned.variables.refused} variables refused${driftWords(scanned)}`);
      result = { stage: "ready", identity, reason };
      continue;
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      trouble = rootMessage(error);
      if (isChanging(error) && ++changing < CHANGING_TRIES) {
        enter("awaiting", trouble);
        if (patched(NEWER_FIRST)) {
          const isOther = (other: Announcement): boolean => isOtherPromise(said, other);
          if (await condition(() => waiting.some(isOther), CHANGING_PAUSE_MS)) cutShort = [...cutShort, said];
          else {
            waiting = [...cutShort.filter(isOther), said, ...waiting];
            cutShort = cutShort.filter((other) => !isOther(other));
          }
        } else {
          await sleep(CHANGING_PAUSE_MS);
          waiting = [said, ...waiting];
        }
        continue;
      }
    }

    const suspect = identity ?? NEVER_SEEN;
    await record(reference, current, suspect, { state: "quarantined", reason: trouble });
    enter("quarantined", trouble);
    await condition(() => decision !== undefined || waiting.length > 0);
    if (decision?.action === "skip") {
      const why = `${decision.by}: ${decision.reason}`;
      await record(reference, current, suspect, { state: "skipped", reason: why });
      enter("skipped", why);
      result = { stage: "skipped", identity: suspect, reason: why };
    } else if (decision !== undefined) {
      if (decision.action === "accept") accepted = identity;
      waiting = [current, ...waiting];
    }
    decision = undefined;
    if (waiting.length > 0 && workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof granule>({ ...input, waiting });
    }
  }
  await condition(allHandlersFinished);
  if (result === undefined) throw ApplicationFailure.nonRetryable("the granule's life ended without an end");
  return result;
}

function driftWords({ drift, epoch }: Scanned): string {
  if (drift === undefined) return "";
  return drift.action === "epoch" ? `; began epoch ${epoch}: ${drift.because}` : `; kept as a native copy: ${drift.because}`;
}

function describe(
  stage: GranuleStage,
  reason: string,
  announcement: Announcement | undefined,
  identity: string | undefined,
): string {
  const lines = [`**${stage}**${reason === "" ? "" : `: ${reason}`}`];
  if (announcement !== undefined) lines.push(`* announced by ${announcement.by}: ${announcement.uri}`);
  if (identity !== undefined) lines.push(`* revision ${identity}`);
  if (stage === "quarantined") {
    lines.push(
      '* decide: `temporal workflow update execute --name decide --input \'{"action":"retry","reason":"…","by":"…"}\'` (or `"skip"`, or `"accept"`: its form is right and begins a new epoch)',
    );
  }
  return lines.join("\n");
}

/** The activity's result; undefined where `isContradicted` came true first, and the activity ended without one. */
async function untilContradicted<Result>(
  begin: () => Promise<Result>,
  isContradicted: () => boolean,
): Promise<Result | undefined> {
  const scope = new CancellationScope();
  let isOver = false;
  const work = scope.run(begin).finally(() => {
    isOver = true;
  });
  const ended = work.then(
    () => undefined,
    () => undefined,
  );
  await Promise.race([ended, condition(() => isOver || isContradicted())]);
  if (isOver || !patched(NEWER_FIRST)) return work;
  scope.cancel();
  try {
    return await work;
  } catch (error) {
    if (error instanceof ActivityFailure) return undefined;
    throw error;
  }
}

function isChanging(failure: ActivityFailure): boolean {
  return failure.cause instanceof ApplicationFailure && failure.cause.type === "source-changed";
}

/** Timeouts long enough for a whole transfer: a worker that dies is noticed by its heartbeat. */
function activitiesFor({ key, awaitFor }: GranuleInput): ActivityInterfaceFor<GranuleActivities> {
  const { download } = proxyActivities<GranuleActivities>({
    summary: `is ${key} there?`,
    startToCloseTimeout: "6 hours",
    // The deadline is the activity's: it ends waiting for a source, and neither a long copy nor waiting for a turn.
    scheduleToCloseTimeout: awaitFor.deadlineMs + COPY_MS,
    heartbeatTimeout: "30 seconds",
    retry: { initialInterval: Math.min(1_000, awaitFor.everyMs), backoffCoefficient: 1.5, maximumInterval: awaitFor.everyMs },
  });
  const { scan } = proxyActivities<GranuleActivities>({
    summary: `what is in ${key}, and does it fit?`,
    startToCloseTimeout: "1 hour",
    heartbeatTimeout: "30 seconds",
    retry: { initialInterval: "1 second", maximumInterval: "1 minute" },
  });
  const { record } = proxyActivities<GranuleActivities>({
    summary: `tell the ledger about ${key}`,
    startToCloseTimeout: "1 minute",
    retry: { initialInterval: "200 milliseconds", maximumInterval: "30 seconds" },
  });
  const { withdraw } = proxyActivities<GranuleActivities>({
    summary: `is ${key} gone?`,
    startToCloseTimeout: "5 minutes",
    scheduleToCloseTimeout: awaitFor.deadlineMs,
    heartbeatTimeout: "30 seconds",
    retry: { initialInterval: Math.min(1_000, awaitFor.everyMs), backoffCoefficient: 1.5, maximumInterval: awaitFor.everyMs },
  });
  return { download, scan, record, withdraw };
}
