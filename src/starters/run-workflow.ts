import {
  type Client,
  WithStartWorkflowOperation,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  type WorkflowStartOptions,
} from "@temporalio/client";
import { SearchAttributeType, TypedSearchAttributes } from "@temporalio/common";
import {
  type DatasetReference,
  type GiveUp,
  type RunInput,
  type RunStatus,
  runsScheduleId,
  runWorkflowId,
  TASK_QUEUE,
} from "../contract/index.ts";
import { type Dataset, positionOf } from "../dataset/index.ts";
import { givenUpAt, runName } from "../products/index.ts";
import { ensureSchedule, removeSchedule, type ScheduleOptions } from "./ensure-schedule.ts";

const DAY_MS = 86_400_000;

/**
 * Tells the workflow of a run to look into the ledger, and starts it where it does not run. Nothing happens for a dataset without runs, for a
 * run that is not of the cycle, and for one that nobody waits for any more: a backfill of old runs starts none.
 */
export async function tellRun(client: Client, reference: DatasetReference, { runs }: Dataset, runMs: number): Promise<void> {
  if (runs === undefined || positionOf(runs.cycle, runMs, runs.cycle.anchorMs) === undefined) return;
  if (Date.now() > givenUpAt(runs, runMs)) return;
  await client.workflow.signalWithStart<RunWorkflow, [DatasetReference]>("run", {
    ...startOf(reference, runMs),
    signal: "look",
    signalArgs: [reference],
  });
}

/** Has the workflow of a run give it up, and starts it where it does not run. @throws WorkflowUpdateFailedError with its reason. */
export async function giveUpRun(client: Client, reference: DatasetReference, runMs: number, asked: GiveUp): Promise<RunStatus> {
  const startWorkflowOperation = new WithStartWorkflowOperation<RunWorkflow>("run", {
    ...startOf(reference, runMs),
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
  });
  return client.workflow.executeUpdateWithStart<RunWorkflow, RunStatus, [GiveUp]>("giveUp", {
    startWorkflowOperation,
    args: [asked],
  });
}

type RunWorkflow = (input: RunInput) => Promise<RunStatus>;

function startOf(reference: DatasetReference, runMs: number): WorkflowStartOptions<RunWorkflow> {
  const name = runName(runMs);
  return {
    workflowId: runWorkflowId(reference.name, name),
    taskQueue: TASK_QUEUE,
    args: [{ dataset: reference, runMs }],
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    typedSearchAttributes: new TypedSearchAttributes([
      { key: { name: "FreshetDataset", type: SearchAttributeType.KEYWORD }, value: reference.name },
      { key: { name: "FreshetStage", type: SearchAttributeType.KEYWORD }, value: "open" },
    ]),
    staticSummary: `run ${name} of ${reference.name}`,
  };
}

/**
 * Makes the schedule `runs:<dataset>` match the dataset file: with a deadline, a look at each cycle whether its run is there. Answers what
 * changed (or would), undefined when it was so already.
 */
export async function ensureRuns(
  client: Client,
  dataset: DatasetReference,
  { runs }: Dataset,
  options: ScheduleOptions = {},
): Promise<"created" | "changed" | "removed" | undefined> {
  const id = runsScheduleId(dataset.name);
  if (runs?.deadlineMs === undefined) return (await removeSchedule(client, id, options)) ? "removed" : undefined;
  const { cycle } = runs;
  // Months have no fixed length; a look on each day finds the run of theirs.
  const everyMs = cycle.kind === "fixed" ? cycle.everyMs : DAY_MS;
  const offsetMs = ((cycle.anchorMs % everyMs) + everyMs) % everyMs;
  return ensureSchedule(client, { id, workflowType: "openRuns", input: dataset, everyMs, offsetMs, isAtOnce: true }, options);
}
