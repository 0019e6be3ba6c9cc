import type { Client } from "@temporalio/client";
import { defaultPayloadConverter } from "@temporalio/common";

/** One activity as the server saw it; times in milliseconds since 1970. */
export interface Activity {
  readonly type: string;
  readonly scheduledMs: number;
  readonly startedMs: number;
  readonly completedMs: number;
  readonly result: unknown;
}

/** The completed activities of a workflow, all runs of it, in the order in which they were scheduled. */
export async function activitiesOf(client: Client, workflowId: string): Promise<Activity[]> {
  const found: Activity[] = [];
  let runId: string | undefined = await firstRun(client, workflowId);
  while (runId !== undefined) {
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const scheduled = new Map<string, { type: string; scheduledMs: number; startedMs?: number }>();
    let next: string | undefined;
    for (const event of events ?? []) {
      const at = timeOf(event.eventTime);
      const task = event.activityTaskScheduledEventAttributes;
      if (task) scheduled.set(String(event.eventId), { type: task.activityType?.name ?? "", scheduledMs: at });
      const start = event.activityTaskStartedEventAttributes;
      if (start) Object.assign(scheduled.get(String(start.scheduledEventId)) ?? {}, { startedMs: at });
      const end = event.activityTaskCompletedEventAttributes;
      const activity = end && scheduled.get(String(end.scheduledEventId));
      if (end && activity?.startedMs !== undefined) {
        const payload = end.result?.payloads?.[0];
        const result = payload ? defaultPayloadConverter.fromPayload(payload) : undefined;
        found.push({ ...activity, startedMs: activity.startedMs, completedMs: at, result });
      }
      next = event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? next;
    }
    runId = next;
  }
  return found;
}

async function firstRun(client: Client, workflowId: string): Promise<string | undefined> {
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  return raw.workflowExecutionInfo?.firstRunId ?? undefined;
}

function timeOf(time: { seconds?: unknown; nanos?: number | null } | null | undefined): number {
  return Number(time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6;
}
