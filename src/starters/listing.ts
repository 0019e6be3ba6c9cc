import {
  type Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type ScheduleSpec,
} from "@temporalio/client";
import { type ListingInput, listingWorkflowId, TASK_QUEUE } from "../contract/index.ts";
import type { Dataset } from "../dataset/index.ts";

/** A look that was missed is not made up for: the next one sees the same. */
const CATCH_UP = "1 minute";
/** So that the sources of an installation are not all asked at once; of the interval. */
const JITTER = 0.1;

/** What `ensureListings` did, or would do, to one schedule. */
export interface ChangedListing {
  readonly source: string;
  readonly change: "created" | "changed" | "removed";
}

/**
 * Makes the schedules `listing:<source>` match the dataset files in force: each source with a listing is looked at as often as says the
 * file that says so most often, for the first time at once; one without has no schedule. Applying twice changes nothing.
 * @param datasets all that are in force.
 * @param former names of sources that datasets had before.
 */
export async function ensureListings(
  client: Client,
  datasets: readonly Dataset[],
  former: Iterable<string>,
  options: { readonly dryRun?: boolean } = {},
): Promise<ChangedListing[]> {
  const wanted = new Map<string, number>();
  for (const { source } of datasets) {
    if (source.listing === undefined) continue;
    wanted.set(source.name, Math.min(wanted.get(source.name) ?? Number.POSITIVE_INFINITY, source.listing.everyMs));
  }
  const changed: ChangedListing[] = [];
  for (const [source, everyMs] of wanted) {
    const change = await ensureSchedule(client, source, everyMs, options);
    if (change !== undefined) changed.push({ source, change });
  }
  for (const source of new Set([...former, ...datasets.map((dataset) => dataset.source.name)])) {
    if (!wanted.has(source) && (await removeSchedule(client, source, options))) changed.push({ source, change: "removed" });
  }
  return changed;
}

async function ensureSchedule(
  client: Client,
  source: string,
  everyMs: number,
  options: { readonly dryRun?: boolean },
): Promise<"created" | "changed" | undefined> {
  const scheduleId = listingWorkflowId(source);
  const handle = client.schedule.getHandle(scheduleId);
  const spec: ScheduleSpec = { intervals: [{ every: everyMs }], jitter: Math.round(everyMs * JITTER) };
  const input: ListingInput = { source };
  const action = {
    type: "startWorkflow" as const,
    workflowType: "listing",
    workflowId: scheduleId,
    taskQueue: TASK_QUEUE,
    args: [input],
  };
  const policies = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCH_UP } as const;
  try {
    const present = await handle.describe();
    if (Number(present.spec.intervals?.[0]?.every) === everyMs) return undefined;
    if (options.dryRun !== true) await handle.update((schedule) => ({ ...schedule, spec, action, policies }));
    return "changed";
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
  if (options.dryRun === true) return "created";
  try {
    await client.schedule.create({ scheduleId, spec, action, policies, state: { triggerImmediately: true } });
    return "created";
  } catch (error) {
    // Two apply at the same time: the other one was first.
    if (error instanceof ScheduleAlreadyRunning) return await ensureSchedule(client, source, everyMs, options);
    throw error;
  }
}

async function removeSchedule(client: Client, source: string, { dryRun }: { readonly dryRun?: boolean }): Promise<boolean> {
  const handle = client.schedule.getHandle(listingWorkflowId(source));
  try {
    if (dryRun === true) await handle.describe();
    else await handle.delete();
    return true;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return false;
    throw error;
  }
}
