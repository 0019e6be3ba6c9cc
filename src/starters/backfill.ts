import { type Client, type WorkflowHandle, WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from "@temporalio/client";
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
export function startBackfill(client: Client, id: string, input: BackfillInput): Promise<WorkflowHandle> {
  const dataset = input.dataset.name;
  return client.workflow.start<(input: BackfillInput) => Promise<BackfillStatus>>("backfill", {
    workflowId: backfillWorkflowId(dataset, id),
    taskQueue: TASK_QUEUE,
    args: [input],
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    typedSearchAttributes: new TypedSearchAttributes([
      { key: { name: "FreshetDataset", type: SearchAttributeType.KEYWORD }, value: dataset },
    ]),
    staticSummary: `backfill of ${dataset}: ${input.search === undefined ? `${input.total} granules` : `those that its ${input.search.by} tells of`}`,
    priority: { priorityKey: 5 },
  });
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

/** Without a worker, or with a history that is gone, its state is known all the same. */
function statusOf(handle: WorkflowHandle): Promise<BackfillStatus | undefined> {
  return handle.query<BackfillStatus>("status").catch(() => undefined);
}
