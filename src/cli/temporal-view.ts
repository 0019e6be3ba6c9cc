import { type Client, ServiceError, type WorkflowExecutionDescription, WorkflowNotFoundError } from "@temporalio/client";
import { type DatasetStatus, datasetWorkflowId, type FormState } from "../contract/index.ts";

/** An activity that is under way or will be tried again. */
export interface PendingActivity {
  readonly name: string;
  /** Counted from 1; while it waits, that of the next try. */
  readonly attempt: number;
  /** Why the last try failed; "" before one did. */
  readonly trouble: string;
}

/** A workflow that is open. */
export interface OpenWorkflow {
  readonly workflowId: string;
  readonly stage: string;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  readonly activity: PendingActivity | undefined;
}

/** What Temporal knows of one dataset. */
export interface TemporalView {
  /** The open granule workflows by granule key. */
  readonly granules: ReadonlyMap<string, OpenWorkflow>;
  /** How often a granule was announced once more and nothing had changed, by key; as far back as Temporal keeps closed workflows. */
  readonly repeats: ReadonlyMap<string, number>;
  /** The dataset's own workflow; undefined where none runs. */
  readonly writer: OpenWorkflow | undefined;
  /** Why products cannot be published, and which are held; empty where all is well, or no worker is there to say. */
  readonly troubles: readonly string[];
  readonly held: readonly string[];
}

/** Stages in which there is more to say than the stage. */
const TELLING: readonly string[] = ["troubled", "held"];
/** A worker answers in milliseconds. */
const QUERY_MS = 2_000;

/**
 * Looks at a dataset's workflows, at most `limit` open ones. An empty view where the dataset was never applied on this server.
 * @throws what the client throws when the server does not answer.
 */
export async function lookAtTemporal(client: Client, dataset: string, limit: number): Promise<TemporalView> {
  const ofDataset = `FreshetDataset = "${dataset}" AND WorkflowType = "granule"`;
  const [open, repeats, writer] = await Promise.all([
    search(client, `${ofDataset} AND ExecutionStatus = "Running"`, limit),
    search(client, `${ofDataset} AND FreshetStage = "duplicate" AND ExecutionStatus = "Completed"`, limit),
    describeOpen(client, datasetWorkflowId(dataset)),
  ]);
  const granules = new Map<string, OpenWorkflow>();
  for (const workflow of await Promise.all(open.map((workflowId) => describeOpen(client, workflowId)))) {
    if (workflow !== undefined) granules.set(keyOf(dataset, workflow.workflowId), workflow);
  }
  const counts = new Map<string, number>();
  for (const workflowId of repeats) {
    const key = keyOf(dataset, workflowId);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const isTelling = writer !== undefined && TELLING.includes(writer.stage);
  return { granules, repeats: counts, writer, ...(isTelling ? await troublesOf(client, writer) : { troubles: [], held: [] }) };
}

/** What the dataset's workflow says is the matter. */
async function troublesOf(client: Client, { workflowId }: OpenWorkflow): Promise<Pick<TemporalView, "troubles" | "held">> {
  const handle = client.workflow.getHandle(workflowId);
  const status = await client
    .withDeadline(Date.now() + QUERY_MS, () => handle.query<DatasetStatus>("status"))
    .catch(() => undefined);
  return { troubles: status?.troubles ?? [], held: status?.held ?? [] };
}

/** How far the forms of a dataset were when its workflow looked last; empty where nobody can say. */
export async function askForms(client: Client, dataset: string): Promise<readonly FormState[]> {
  const handle = client.workflow.getHandle(datasetWorkflowId(dataset));
  const asked = client.withDeadline(Date.now() + QUERY_MS, () => handle.query<DatasetStatus>("status"));
  return (await asked.catch(() => undefined))?.forms ?? [];
}

/** Ids of the workflows that a visibility query finds. A server without our search attributes has none. */
async function search(client: Client, query: string, limit: number): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const { workflowId } of client.workflow.list({ query, pageSize: limit })) {
      found.push(workflowId);
      if (found.length >= limit) break;
    }
  } catch (error) {
    if (!isInvalidQuery(error)) throw error;
  }
  return found;
}

async function describeOpen(client: Client, workflowId: string): Promise<OpenWorkflow | undefined> {
  try {
    const description = await client.workflow.getHandle(workflowId).describe();
    if (description.status.name !== "RUNNING") return undefined;
    return {
      workflowId,
      stage: String(description.searchAttributes.FreshetStage?.[0] ?? "announced"),
      startedMs: description.startTime.getTime(),
      activity: pendingActivity(description),
    };
  } catch (error) {
    // It closed, and was forgotten, between the search and this look.
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

function pendingActivity({ raw }: WorkflowExecutionDescription): PendingActivity | undefined {
  const [activity] = raw.pendingActivities ?? [];
  if (activity === undefined) return undefined;
  const failure = activity.lastFailure;
  return {
    name: activity.activityType?.name ?? "",
    attempt: activity.attempt ?? 1,
    trouble: troubleOf(failure?.applicationFailureInfo?.details?.payloads?.[0]?.data, failure?.message ?? ""),
  };
}

/** Our failures carry their facts: of these, what was found says it shortest. */
function troubleOf(details: Uint8Array | null | undefined, message: string): string {
  try {
    const { summary, found } = JSON.parse(Buffer.from(details ?? []).toString("utf8")) as { summary?: string; found?: string };
    if (summary !== undefined) return found === undefined ? summary : `${summary}: ${found}`;
  } catch {
    // Not one of ours.
  }
  return message.split("\n")[0] as string;
}

function keyOf(dataset: string, workflowId: string): string {
  return workflowId.slice(`granule:${dataset}:`.length);
}

function isInvalidQuery(error: unknown): boolean {
  const INVALID_ARGUMENT = 3;
  return error instanceof ServiceError && (error.cause as { code?: number } | undefined)?.code === INVALID_ARGUMENT;
}
