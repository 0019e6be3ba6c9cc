import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowHandle,
  WorkflowIdReusePolicy,
} from "@temporalio/client";
import { SearchAttributeType, TypedSearchAttributes } from "@temporalio/common";
import {
  type DatasetReference,
  type Reconciled,
  type ReconcileInput,
  reconcileWorkflowId,
  TASK_QUEUE,
} from "../contract/index.ts";
import type { Dataset } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import { ensureSchedule, removeSchedule, type ScheduleOptions } from "./ensure-schedule.ts";

/** Starts a reconciliation. @throws FreshetError `conflict` while another one of the dataset runs. */
export async function startReconciliation(client: Client, input: ReconcileInput): Promise<WorkflowHandle> {
  const { name } = input.dataset;
  const workflowId = reconcileWorkflowId(name);
  try {
    return await client.workflow.start<(input: ReconcileInput) => Promise<Reconciled>>("reconcile", {
      workflowId,
      taskQueue: TASK_QUEUE,
      args: [input],
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      typedSearchAttributes: new TypedSearchAttributes([
        { key: { name: "FreshetDataset", type: SearchAttributeType.KEYWORD }, value: name },
      ]),
      staticSummary: `reconciliation of ${name}${input.act ? "" : ", report only"}`,
      priority: { priorityKey: 5 },
    });
  } catch (cause) {
    if (!(cause instanceof WorkflowExecutionAlreadyStartedError)) throw cause;
    throw new FreshetError("conflict", "a reconciliation of this dataset runs already", {
      found: workflowId,
      remedy: `Wait for its end, or end it: temporal workflow cancel --workflow-id ${workflowId}`,
      cause,
    });
  }
}

/** Makes the schedule `reconcile:<dataset>` match the dataset file. Answers what changed (or would), undefined when it was so already. */
export async function ensureReconciliation(
  client: Client,
  dataset: DatasetReference,
  { maintenance: { reconcile } }: Dataset,
  options: ScheduleOptions = {},
): Promise<"created" | "changed" | "removed" | undefined> {
  const id = reconcileWorkflowId(dataset.name);
  if (reconcile === undefined) return (await removeSchedule(client, id, options)) ? "removed" : undefined;
  const input: ReconcileInput = { dataset, act: reconcile.act };
  return ensureSchedule(client, { id, workflowType: "reconcile", input, everyMs: reconcile.everyMs }, options);
}
