import {
  type Client,
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type WorkflowUpdateHandle,
  WorkflowUpdateStage,
} from "@temporalio/client";
import { datasetWorkflowId, type Operation, type OperationResult } from "../../contract/index.ts";
import { FreshetError } from "../../errors/index.ts";
import { requireWorker } from "../has-worker.ts";
import { interruptSignal } from "../interrupt.ts";
import { showLine } from "../progress.ts";

type Results = readonly OperationResult[];

const LOOK_EVERY_MS = 1_000;
/** A worker that is there takes an update up in milliseconds. */
const PATIENCE_MS = 5_000;

/**
 * Has the dataset's workflow, the only writer of its products, carry out an operation, and waits for the end. Shows on a terminal what
 * its worker is doing.
 * @throws FreshetError `unreachable` when no workflow or no worker runs; `conflict` with the workflow's own words when it refuses, or
 *   it failed; an AbortError at Ctrl-C, with a word that it goes on.
 */
export async function operateDataset(client: Client, dataset: string, operation: Operation): Promise<Results> {
  const { kind, ...asked } = operation;
  const handle = client.workflow.getHandle(datasetWorkflowId(dataset));
  await requireRunning(client, handle, dataset);
  const signal = interruptSignal();
  const line = showLine();
  const timer = setInterval(() => {
    doingNow(handle).then(line.show, () => undefined);
  }, LOOK_EVERY_MS);
  let isTaken = false;
  const late = setTimeout(() => {
    if (!isTaken) line.above("no worker has taken it up yet; is one running? freshet worker");
  }, PATIENCE_MS);
  try {
    const taken: WorkflowUpdateHandle<Results> = await unlessStopped(
      handle.startUpdate<Results, [unknown]>(kind, { args: [asked], waitForStage: WorkflowUpdateStage.ACCEPTED }),
      signal,
    );
    isTaken = true;
    return await unlessStopped(taken.result(), signal);
  } catch (error) {
    if (signal.aborted) {
      const goesOn = `the ${kind} goes on without us: freshet status ${dataset}`;
      line.above(isTaken ? goesOn : `the ${kind} may not have been taken up: freshet status ${dataset}`);
      throw error;
    }
    throw operationError(error, dataset);
  } finally {
    clearInterval(timer);
    clearTimeout(late);
    line.end();
  }
}

/** @throws FreshetError `unreachable` when the dataset's workflow, or every worker, is missing. */
async function requireRunning(client: Client, handle: WorkflowHandle, dataset: string): Promise<void> {
  const description = await handle.describe().catch((error: unknown) => {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  });
  if (description?.status.name !== "RUNNING") throw notRunning(dataset);
  await requireWorker(client);
}

function notRunning(dataset: string): FreshetError {
  return new FreshetError("unreachable", "the dataset's workflow does not run", {
    expected: datasetWorkflowId(dataset),
    remedy: "Start it by applying its dataset file: freshet apply FILE",
  });
}

/** What the activity under way says that it does, and its last failure where it is tried again; "" while none is. */
async function doingNow(handle: WorkflowHandle): Promise<string> {
  const [activity] = (await handle.describe()).raw.pendingActivities ?? [];
  if (activity === undefined) return "";
  const data = activity.heartbeatDetails?.payloads?.[0]?.data;
  const doing = data === undefined || data === null ? "" : String(JSON.parse(Buffer.from(data).toString("utf8")));
  const trouble = activity.lastFailure?.message;
  const attempt = trouble ? `attempt ${activity.attempt}, since ${trouble}` : "";
  return [activity.activityType?.name, doing, attempt].filter((part) => part).join(": ");
}

function operationError(error: unknown, dataset: string): unknown {
  if (error instanceof WorkflowNotFoundError) return notRunning(dataset);
  // The failure carries the whole sentence: what was found and expected, and what to do.
  if (error instanceof WorkflowUpdateFailedError)
    return new FreshetError("conflict", error.cause?.message ?? error.message, { cause: error });
  return error;
}

async function unlessStopped<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", stop);
    work.catch(() => undefined);
  }
}
