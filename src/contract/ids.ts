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
 * `FreshetStage` holds a `GranuleStage` or a `DatasetStage`.
 */
export const SEARCH_ATTRIBUTES = ["FreshetDataset", "FreshetGranule", "FreshetStage"] as const;
export type SearchAttributeName = (typeof SEARCH_ATTRIBUTES)[number];
