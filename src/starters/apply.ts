import { type Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from "@temporalio/client";
import { listedPlaces } from "../acquisition/index.ts";
import {
  type Change,
  type DatasetSettings,
  type DatasetStatus,
  datasetWorkflowId,
  maintenanceWorkflowId,
  type OperationResult,
  reconcileWorkflowId,
  runsScheduleId,
} from "../contract/index.ts";
import { type ChangeClass, canonicalDataset, classifyChange, type Dataset, datasetOfText } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { datasetInput, signalDataset } from "./dataset-workflow.ts";
import { ensureMaintenance } from "./maintenance-schedule.ts";
import { ensureReconciliation } from "./reconcile.ts";
import { ensureRuns } from "./run-workflow.ts";
import { ensureSearchAttributes } from "./search-attributes.ts";
import { ensureSourceSchedules } from "./source-schedules.ts";

/** A worker answers in milliseconds; without one the server would keep us waiting for ten seconds and more. */
const QUERY_MS = 2_000;

/** What `apply` did, or with `dryRun` would do, for one dataset. */
export interface Applied {
  readonly name: string;
  readonly hash: string;
  /** How a changed file is brought about: at once, by products that are rebuilt aside and switched, or not at all. */
  readonly kind: "new" | ChangeClass["kind"];
  /** Empty: everything is as it should be. In words, one for each thing. */
  readonly changes: readonly string[];
}

export interface ApplyOptions {
  readonly dryRun?: boolean;
  /** Who applies; goes into the versions that are rebuilt. */
  readonly by?: string | undefined;
  /** Called before something that takes long. */
  readonly onProgress?: (what: string) => void;
}

/**
 * Makes the ledger and Temporal match dataset files: the file kept by its hash, the search attributes, the dataset workflow
 * running with the file's settings, the schedules of sweeps, runs, listings and looks at CMR. Applying twice changes nothing. A file whose products have to be
 * rebuilt becomes the current one when all of them have been switched, and not before.
 * @throws FreshetError `storage`, `unreachable`; `dataset-file` for a change that is refused, or a store that another dataset has.
 */
export async function applyDatasets(
  client: Client,
  ledger: Ledger,
  datasets: readonly Dataset[],
  options: ApplyOptions = {},
): Promise<Applied[]> {
  await refuseSharedStores(ledger, datasets);
  // What cannot be listed is said before anything is changed.
  for (const { source } of datasets) listedPlaces(source, Date.now());
  const missing = await ensureSearchAttributes(client, options);
  const shared = missing.map((name) => `search attribute ${name}: added`);
  const applied: Applied[] = [];
  const former = new Set<string>();
  for (const dataset of datasets) {
    const canonical = canonicalDataset(dataset);
    const { hash } = canonical;
    const current = await ledger.currentDataset(dataset.name);
    const before = current === undefined ? undefined : datasetOfText(current.text);
    if (before !== undefined) former.add(before.source.name);
    const change = before === undefined ? undefined : classifyChange(before, dataset);
    if (change?.kind === "refused") {
      if (options.dryRun === true) {
        applied.push({
          name: dataset.name,
          hash,
          kind: "refused",
          changes: change.reasons.map((reason) => `refused: ${reason}`),
        });
        continue;
      }
      throw new FreshetError("dataset-file", `the changed file of ${dataset.name} cannot be brought about`, {
        found: change.reasons.join("; "),
        remedy: "Nothing was changed",
      });
    }
    const changes = [...shared];
    shared.length = 0;
    if (current?.hash !== hash) {
      changes.push(
        current === undefined ? `dataset file: new, ${short(hash)}` : `dataset file: ${short(current.hash)} → ${short(hash)}`,
        ...(change?.reasons ?? []),
      );
    }
    const input = datasetInput(dataset, hash);
    const settings: DatasetSettings = {
      dataset: input.dataset,
      coalesceMs: input.coalesceMs,
      upkeepEveryMs: input.upkeepEveryMs,
      ...(input.hasForms === true ? { hasForms: true } : {}),
      lookEveryMs: input.lookEveryMs,
    };
    if (change?.kind === "rebuild") {
      if (options.dryRun !== true) {
        await ledger.keepDataset(canonical);
        options.onProgress?.(`${dataset.name}: rebuilding ${change.rebuild.join(", ")}`);
        changes.push(...(await rebuildAside(client, settings, change.rebuild, options.by)));
      }
    } else {
      if (options.dryRun !== true) await ledger.putDataset(canonical);
      const running = await runningHash(client, dataset.name);
      if (running !== hash) {
        changes.push(`workflow ${datasetWorkflowId(dataset.name)}: ${running === undefined ? "started" : "configured"}`);
        if (options.dryRun !== true) await signalDataset(client, input, { name: "configure", args: [settings] });
      }
    }
    const schedule = await ensureMaintenance(client, input.dataset, dataset.maintenance.sweepMs, options);
    if (schedule !== undefined) changes.push(`schedule ${maintenanceWorkflowId(dataset.name)}: ${schedule}`);
    const reconciliation = await ensureReconciliation(client, input.dataset, dataset, options);
    if (reconciliation !== undefined) changes.push(`schedule ${reconcileWorkflowId(dataset.name)}: ${reconciliation}`);
    const runs = await ensureRuns(client, input.dataset, dataset, options);
    if (runs !== undefined) changes.push(`schedule ${runsScheduleId(dataset.name)}: ${runs}`);
    applied.push({ name: dataset.name, hash, kind: change?.kind ?? "new", changes });
  }
  return withSourceSchedules(client, ledger, datasets, applied, former, options);
}

/** The schedules of listings and of looks at CMR follow all dataset files together: a source is nobody's own. */
async function withSourceSchedules(
  client: Client,
  ledger: Ledger,
  datasets: readonly Dataset[],
  applied: readonly Applied[],
  former: ReadonlySet<string>,
  options: ApplyOptions,
): Promise<Applied[]> {
  const inForce = datasets.filter(({ name }) => applied.some((one) => one.name === name && one.kind !== "refused"));
  const others = (await ledger.datasets())
    .filter(({ name }) => !inForce.some((dataset) => dataset.name === name))
    .map(({ text }) => datasetOfText(text));
  const changes = applied.map((one) => [...one.changes]);
  for (const { source, scheduleId, change } of await ensureSourceSchedules(client, [...others, ...inForce], former, options)) {
    const teller = datasets.findIndex((dataset) => dataset.source.name === source);
    changes[Math.max(0, teller)]?.push(`schedule ${scheduleId}: ${change}`);
  }
  return applied.map((one, index) => ({ ...one, changes: changes[index] ?? one.changes }));
}

/** Asks the dataset's workflow, the only writer, to build the products by the new file and to switch. */
async function rebuildAside(
  client: Client,
  settings: DatasetSettings,
  rebuild: readonly string[],
  by: string | undefined,
): Promise<string[]> {
  const handle = client.workflow.getHandle(datasetWorkflowId(settings.dataset.name));
  const asked: Change = { ...settings, rebuild, reason: "the dataset file changed", ...(by === undefined ? {} : { by }) };
  try {
    const results = (await handle.executeUpdate("change", { args: [asked] })) as readonly OperationResult[];
    return results.map(
      ({ product, version, granules }) => `${product}: rebuilt, version ${version ?? "none"}, ${granules} granules`,
    );
  } catch (cause) {
    throw new FreshetError(
      "dataset-file",
      `the changed file of ${settings.dataset.name} was not brought about; the old one stays`,
      {
        found: cause instanceof WorkflowUpdateFailedError ? cause.cause?.message : (cause as Error).message,
        cause,
      },
    );
  }
}

/** Two products with one store would undo each other's work, also where their files were applied one after the other. */
async function refuseSharedStores(ledger: Ledger, datasets: readonly Dataset[]): Promise<void> {
  const others = (await ledger.datasets())
    .filter(({ name }) => !datasets.some((dataset) => dataset.name === name))
    .map(({ text }) => datasetOfText(text));
  const owners = new Map<string, string>();
  for (const { name, products } of [...others, ...datasets]) {
    for (const product of products) {
      const owner = owners.get(product.store);
      if (owner !== undefined) {
        throw new FreshetError("dataset-file", "two products have one store", {
          found: `${product.store} for ${name}/${product.name} and for ${owner}`,
          expected: "a store of its own for each product",
        });
      }
      owners.set(product.store, `${name}/${product.name}`);
    }
  }
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
