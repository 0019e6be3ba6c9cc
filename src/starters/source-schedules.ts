import type { Client } from "@temporalio/client";
import { cmrWorkflowId, listingWorkflowId } from "../contract/index.ts";
import type { Dataset, Source } from "../dataset/index.ts";
import { ensureSchedule, removeSchedule, type ScheduleOptions } from "./ensure-schedule.ts";

/** Ways in which a source is looked at again and again, each by a workflow of its own. */
const LOOKS: readonly {
  readonly workflowType: "listing" | "cmr";
  readonly idOf: (source: string) => string;
  readonly everyMsOf: (source: Source) => number | undefined;
}[] = [
  { workflowType: "listing", idOf: listingWorkflowId, everyMsOf: ({ listing }) => listing?.everyMs },
  { workflowType: "cmr", idOf: cmrWorkflowId, everyMsOf: ({ cmr }) => cmr?.everyMs },
];

/** What `ensureSourceSchedules` did, or would do, to one schedule. */
export interface ChangedSchedule {
  readonly source: string;
  readonly scheduleId: string;
  readonly change: "created" | "changed" | "removed";
}

/**
 * Makes the schedules `listing:<source>` and `cmr:<source>` match the dataset files in force: each source that has the one or the other is looked
 * at as often as says the file that says so most often, for the first time at once; one without has no schedule. Applying twice changes nothing.
 * @param datasets all that are in force.
 * @param former names of sources that datasets had before.
 */
export async function ensureSourceSchedules(
  client: Client,
  datasets: readonly Dataset[],
  former: Iterable<string>,
  options: ScheduleOptions = {},
): Promise<ChangedSchedule[]> {
  const changed: ChangedSchedule[] = [];
  const sources = new Set([...former, ...datasets.map((dataset) => dataset.source.name)]);
  for (const { workflowType, idOf, everyMsOf } of LOOKS) {
    const wanted = new Map<string, number>();
    for (const { source } of datasets) {
      const everyMs = everyMsOf(source);
      if (everyMs !== undefined) wanted.set(source.name, Math.min(wanted.get(source.name) ?? Number.POSITIVE_INFINITY, everyMs));
    }
    for (const [source, everyMs] of wanted) {
      const repeated = { id: idOf(source), workflowType, input: { source }, everyMs, isAtOnce: true };
      const change = await ensureSchedule(client, repeated, options);
      if (change !== undefined) changed.push({ source, scheduleId: idOf(source), change });
    }
    for (const source of sources) {
      if (!wanted.has(source) && (await removeSchedule(client, idOf(source), options)))
        changed.push({ source, scheduleId: idOf(source), change: "removed" });
    }
  }
  return changed;
}
