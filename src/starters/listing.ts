import type { Client } from "@temporalio/client";
import { type ListingInput, listingWorkflowId } from "../contract/index.ts";
import type { Dataset } from "../dataset/index.ts";
import { ensureSchedule, removeSchedule, type ScheduleOptions } from "./ensure-schedule.ts";

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
  options: ScheduleOptions = {},
): Promise<ChangedListing[]> {
  const wanted = new Map<string, number>();
  for (const { source } of datasets) {
    if (source.listing === undefined) continue;
    wanted.set(source.name, Math.min(wanted.get(source.name) ?? Number.POSITIVE_INFINITY, source.listing.everyMs));
  }
  const changed: ChangedListing[] = [];
  for (const [source, everyMs] of wanted) {
    const input: ListingInput = { source };
    const repeated = { id: listingWorkflowId(source), workflowType: "listing", input, everyMs, isAtOnce: true };
    const change = await ensureSchedule(client, repeated, options);
    if (change !== undefined) changed.push({ source, change });
  }
  for (const source of new Set([...former, ...datasets.map((dataset) => dataset.source.name)])) {
    if (!wanted.has(source) && (await removeSchedule(client, listingWorkflowId(source), options)))
      changed.push({ source, change: "removed" });
  }
  return changed;
}
