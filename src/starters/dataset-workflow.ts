import { type Client, WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from "@temporalio/client";
import { SearchAttributeType, TypedSearchAttributes } from "@temporalio/common";
import { type DatasetInput, type DatasetSettings, datasetWorkflowId, TASK_QUEUE } from "../contract/index.ts";
import { type Dataset, formsOf } from "../dataset/index.ts";

/** A dataset that nobody woke looks into the ledger all the same, this often. */
const LOOK_EVERY_MS = 60_000;
const LEAST_LOOK_MS = 500;

/** An alarm is to come when it is due, and not a minute later. */
function lookEveryMs({ quiet }: Dataset): number {
  return Math.min(LOOK_EVERY_MS, Math.max(LEAST_LOOK_MS, (quiet?.afterMs ?? LOOK_EVERY_MS * 4) / 4));
}

/** What a dataset workflow is started with. */
export function datasetInput(dataset: Dataset, hash: string): DatasetInput {
  return {
    dataset: { name: dataset.name, hash },
    coalesceMs: dataset.publish.coalesceMs,
    lookEveryMs: lookEveryMs(dataset),
    upkeepEveryMs: dataset.maintenance.upkeepMs,
    ...(dataset.products.some((product) => formsOf(dataset, product).length > 0) ? { hasForms: true } : {}),
    published: 0,
    wakes: 0,
  };
}

/** Sends a signal to the dataset's workflow, and starts it where it does not run. */
export async function signalDataset(
  client: Client,
  input: DatasetInput,
  signal: { readonly name: "wake" } | { readonly name: "configure"; readonly args: readonly [DatasetSettings] },
): Promise<void> {
  await client.workflow.signalWithStart<(input: DatasetInput) => Promise<never>, unknown[]>("dataset", {
    workflowId: datasetWorkflowId(input.dataset.name),
    taskQueue: TASK_QUEUE,
    args: [input],
    signal: signal.name,
    signalArgs: signal.name === "configure" ? [...signal.args] : [],
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    typedSearchAttributes: new TypedSearchAttributes([
      { key: { name: "FreshetDataset", type: SearchAttributeType.KEYWORD }, value: input.dataset.name },
      { key: { name: "FreshetStage", type: SearchAttributeType.KEYWORD }, value: "idle" },
    ]),
    staticSummary: `dataset ${input.dataset.name}: the only writer of its products`,
  });
}
