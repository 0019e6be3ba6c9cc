import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowHandle,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  WorkflowNotFoundError,
} from "@temporalio/client";
import { SearchAttributeType, TypedSearchAttributes } from "@temporalio/common";
import { type BackfillInput, type BackfillStatus, backfillWorkflowId, TASK_QUEUE } from "../contract/index.ts";

/** A backfill by its workflow. */
export interface Backfill {
  readonly workflowId: string;
  /** Temporal's word: RUNNING, COMPLETED, CANCELLED, … */
  readonly state: string;
  /** Undefined where no worker answers. */
  readonly status: BackfillStatus | undefined;
}

/** Starts a backfill; one with the same id that runs is met instead. */
export async function startBackfill(client: Client, id: string, input: BackfillInput): Promise<WorkflowHandle> {
  const dataset = input.dataset.name;
  const workflowId = backfillWorkflowId(dataset, id);
  try {
    return await client.workflow.start<(input: BackfillInput) => Promise<BackfillStatus>>("backfill", {
      workflowId,
      taskQueue: TASK_QUEUE,
      args: [input],
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      typedSearchAttributes: new TypedSearchAttributes([
        { key: { name: "FreshetDataset", type: SearchAttributeType.KEYWORD }, value: dataset },
      ]),
      staticSummary: `backfill of ${dataset}: ${input.total} granules`,
      priority: { priorityKey: 5 },
    });
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return client.workflow.getHandle(workflowId);
    throw error;
  }
}

/** The backfills of a dataset that Temporal remembers, the newest first; of all datasets where none is named. */
export async function backfills(client: Client, dataset: string | undefined): Promise<Backfill[]> {
  const ofDataset = dataset === undefined ? "" : ` AND FreshetDataset="${dataset}"`;
  const found: Backfill[] = [];
  for await (const { workflowId, runId, status } of client.workflow.list({ query: `WorkflowType="backfill"${ofDataset}` })) {
    if (found.some((other) => other.workflowId === workflowId)) continue;
    found.push({ workflowId, state: status.name, status: await statusOf(client.workflow.getHandle(workflowId, runId)) });
  }
  return found;
}

async function statusOf(handle: WorkflowHandle): Promise<BackfillStatus | undefined> {
  try {
    return await handle.query<BackfillStatus>("status");
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    // No worker, or a history that is gone: its state is known all the same.
    return undefined;
  }
}
