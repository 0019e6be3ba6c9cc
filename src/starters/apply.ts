import { type Client, WorkflowNotFoundError } from "@temporalio/client";
import { type DatasetStatus, datasetWorkflowId } from "../contract/index.ts";
import { canonicalDataset, type Dataset } from "../dataset/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { datasetInput, signalDataset } from "./dataset-workflow.ts";
import { ensureSearchAttributes } from "./search-attributes.ts";

/** A worker answers in milliseconds; without one the server would keep us waiting for ten seconds and more. */
const QUERY_MS = 2_000;

/** What `apply` did, or with `dryRun` would do, for one dataset. */
export interface Applied {
  readonly name: string;
  readonly hash: string;
  /** Empty: everything is as it should be. In words, one for each thing. */
  readonly changes: readonly string[];
}

/**
 * Makes the ledger and Temporal match dataset files: the file kept by its hash, the search attributes, the dataset workflow
 * running with the file's settings. Applying twice changes nothing.
 * @throws FreshetError `storage`, `unreachable`.
 */
export async function applyDatasets(
  client: Client,
  ledger: Ledger,
  datasets: readonly Dataset[],
  options: { readonly dryRun?: boolean } = {},
): Promise<Applied[]> {
  const missing = await ensureSearchAttributes(client, options);
  const shared = missing.map((name) => `search attribute ${name}: added`);
  const applied: Applied[] = [];
  for (const dataset of datasets) {
    const canonical = canonicalDataset(dataset);
    const { hash } = canonical;
    const changes = [...shared];
    const current = await ledger.currentDataset(dataset.name);
    if (current?.hash !== hash) {
      changes.push(
        current === undefined ? `dataset file: new, ${short(hash)}` : `dataset file: ${short(current.hash)} → ${short(hash)}`,
      );
      if (options.dryRun !== true) await ledger.putDataset(canonical);
    }
    const running = await runningHash(client, dataset.name);
    if (running !== hash) {
      changes.push(
        running === undefined
          ? `workflow ${datasetWorkflowId(dataset.name)}: started`
          : `workflow ${datasetWorkflowId(dataset.name)}: configured`,
      );
      const input = datasetInput(dataset, hash);
      if (options.dryRun !== true)
        await signalDataset(client, input, {
          name: "configure",
          args: [{ dataset: input.dataset, coalesceMs: input.coalesceMs }],
        });
    }
    applied.push({ name: dataset.name, hash, changes });
    shared.length = 0;
  }
  return applied;
}

/** The revision of the dataset file that the workflow runs with; undefined where none runs. */
async function runningHash(client: Client, name: string): Promise<string | undefined> {
  const handle = client.workflow.getHandle(datasetWorkflowId(name));
  try {
    const { status } = await handle.describe();
    return status.name === "RUNNING" ? await queriedHash(client, handle) : undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** Without a worker the query has no answer; then the settings are sent once more, which changes nothing. */
async function queriedHash(client: Client, handle: { query: (name: string) => Promise<unknown> }): Promise<string> {
  try {
    const status = await client.withDeadline(Date.now() + QUERY_MS, () => handle.query("status"));
    return (status as DatasetStatus).dataset.hash;
  } catch {
    return "unknown";
  }
}

function short(hash: string): string {
  return hash.slice(0, 12);
}
