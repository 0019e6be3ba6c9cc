import type { Client } from "@temporalio/client";
import { type DatasetReference, maintenanceWorkflowId } from "../contract/index.ts";
import { ensureSchedule, type ScheduleOptions } from "./ensure-schedule.ts";

/**
 * Makes sure that the dataset's sources are swept every `everyMs` milliseconds. Answers what changed (or would), undefined when it
 * was so already.
 */
export function ensureMaintenance(
  client: Client,
  dataset: DatasetReference,
  everyMs: number,
  options: ScheduleOptions = {},
): Promise<"created" | "changed" | undefined> {
  const id = maintenanceWorkflowId(dataset.name);
  return ensureSchedule(client, { id, workflowType: "maintenance", input: dataset, everyMs }, options);
}
