import {
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from "@temporalio/workflow";
import type {
  BackfillActivities,
  BackfillCounts,
  BackfillFound,
  BackfillInput,
  BackfillPlace,
  BackfillStatus,
} from "../contract/index.ts";
import { backfillStatusQuery, pauseSignal, resumeSignal } from "./messages.ts";

const { find, announcePage, settle, publishWindow } = proxyActivities<BackfillActivities>({
  startToCloseTimeout: "1 hour",
  heartbeatTimeout: "1 minute",
  retry: { initialInterval: "1 second", maximumInterval: "5 minutes" },
  priority: { priorityKey: 5 },
});

const NOTHING_FOUND: BackfillFound = { offset: 0, total: 0, next: undefined };

const START: BackfillPlace = {
  offset: 0,
  pending: [],
  counts: { announced: 0, known: 0, absent: 0, foreign: 0, held: 0, ready: 0, quarantined: 0, others: 0 },
  unpublished: 0,
  isPaused: false,
};

/**
 * Takes in the granules of a list (which a search has written, where one is asked for), a window of them at a time: as some end, as many others begin. Each window's worth of granules is
 * published together. Paused, it begins no others. Cancelled, it publishes what is ready, and ends.
 */
export async function backfill(given: BackfillInput): Promise<BackfillStatus> {
  let input = given;
  let { offset, pending, counts, unpublished, isPaused } = input.at ?? START;
  let isEnd = false;
  /** Granules that may be announced at this moment: nobody knows yet how many are. */
  let asked = 0;
  const status = (): BackfillStatus => ({
    dataset: input.dataset.name,
    total: input.total,
    done: counts.known + counts.absent + counts.foreign + counts.held + counts.ready + counts.quarantined + counts.others,
    underWay: pending.length + asked,
    isPaused,
    counts,
  });
  setHandler(backfillStatusQuery, status);
  setHandler(pauseSignal, () => {
    isPaused = true;
  });
  setHandler(resumeSignal, () => {
    isPaused = false;
  });
  const publish = async (): Promise<void> => {
    unpublished = 0;
    await publishWindow(input.dataset);
  };
  const add = (more: Partial<BackfillCounts>): void => {
    const sums = { ...counts };
    for (const [name, count] of Object.entries(more) as [keyof BackfillCounts, number][]) sums[name] += count;
    counts = sums;
    setCurrentDetails(describe(status()));
  };
  try {
    if (input.search !== undefined) {
      let found = input.found ?? NOTHING_FOUND;
      do {
        if (isPaused) await condition(() => !isPaused);
        found = await find(input, found);
        setCurrentDetails(`looking for granules: ${found.total} so far`);
        if (workflowInfo().continueAsNewSuggested && found.next !== undefined)
          await continueAsNew<typeof backfill>({ ...input, found, at: { ...START, isPaused } });
      } while (found.next !== undefined);
      input = { ...input, total: found.total, search: undefined, found: undefined };
    }
    while (!isEnd || pending.length > 0) {
      const room = input.window - pending.length;
      if (!isEnd && !isPaused && (pending.length === 0 || room >= input.window / 2)) {
        asked = room;
        const page = await announcePage(input, offset, room);
        asked = 0;
        ({ offset, isEnd } = page);
        pending = [...pending, ...page.announced];
        const { known, absent, foreign, held, ready = 0, waiting = 0 } = page;
        unpublished += ready + waiting;
        add({ announced: page.announced.length + ready, ready, known, absent, foreign, held });
      }
      if (pending.length > 0) {
        const settled = await settle(input, pending);
        pending = settled.pending;
        unpublished += settled.ready;
        add({ ready: settled.ready, quarantined: settled.quarantined, others: settled.others });
      } else if (isPaused && !isEnd) await condition(() => !isPaused);
      if (unpublished >= input.window || (unpublished > 0 && (isPaused || (isEnd && pending.length === 0)))) await publish();
      if (workflowInfo().continueAsNewSuggested && (!isEnd || pending.length > 0))
        await continueAsNew<typeof backfill>({ ...input, at: { offset, pending, counts, unpublished, isPaused } });
    }
    return status();
  } catch (error) {
    if (isCancellation(error) && unpublished > 0) await CancellationScope.nonCancellable(publish);
    throw error;
  }
}

function describe({ total, done, underWay, isPaused, counts }: BackfillStatus): string {
  return `${isPaused ? "**paused** " : ""}${done} of ${total}: ${underWay} under way, ${Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ")}`;
}
