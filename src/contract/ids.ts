/** The task queue that a worker of every role serves. Rooms with queues of their own come with their issue. */
export const TASK_QUEUE = "freshet";

/** One granule of one dataset: every announcement of it meets the same workflow. */
export function granuleWorkflowId(dataset: string, key: string): string {
  return `granule:${dataset}:${key}`;
}

/** The only writer of a dataset's products. */
export function datasetWorkflowId(dataset: string): string {
  return `dataset:${dataset}`;
}

/** One backfill of a dataset. `id`: letters, digits and hyphens. */
export function backfillWorkflowId(dataset: string, id: string): string {
  return `backfill:${dataset}:${id}`;
}

/** The look after a dataset when nothing arrives; also the id of the schedule that starts it. */
export function maintenanceWorkflowId(dataset: string): string {
  return `maintenance:${dataset}`;
}

/** The comparison of a dataset's source, ledger and stores; also the id of the schedule that starts it. */
export function reconcileWorkflowId(dataset: string): string {
  return `reconcile:${dataset}`;
}

/** What others are told of a dataset. `id`: the notification's. */
export function notificationWorkflowId(dataset: string, id: string): string {
  return `notify:${dataset}:${id.length <= 100 ? id : id.slice(0, 60) + hashOf(id)}`;
}

/** FNV-1a, 64 bits (Fowler, Noll, Vo): ids of workflows may not grow with reasons. */
function hashOf(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, "0");
}

/** One run of a model. `run`: `20240901T0600Z`. */
export function runWorkflowId(dataset: string, run: string): string {
  return `run:${dataset}:${run}`;
}

/** The look whether runs have begun; also the id of the schedule that starts it. */
export function runsScheduleId(dataset: string): string {
  return `runs:${dataset}`;
}

/** The look at a source's folders; also the id of the schedule that starts it. */
export function listingWorkflowId(source: string): string {
  return `listing:${source}`;
}

/** The look at what CMR has of a source's collections; also the id of the schedule that starts it. */
export function cmrWorkflowId(source: string): string {
  return `cmr:${source}`;
}

/**
 * The search attributes by which operators find workflows in the Temporal UI and CLI; all are Keywords.
 * `FreshetStage` holds a `GranuleStage`, a `DatasetStage` or a `RunStage`.
 */
export const SEARCH_ATTRIBUTES = ["FreshetDataset", "FreshetGranule", "FreshetStage"] as const;
export type SearchAttributeName = (typeof SEARCH_ATTRIBUTES)[number];
