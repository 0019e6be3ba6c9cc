import { setTimeout as sleep } from "node:timers/promises";
import { type Client, WorkflowFailedError } from "@temporalio/client";
import type { GranuleResult, GranuleStatus } from "../contract/index.ts";
import type { Ledger } from "../ledger/index.ts";
import type { Announced } from "../starters/index.ts";
import { hasWorker } from "./has-worker.ts";

const LOOK_EVERY_MS = 100;
/** A worker answers in milliseconds; one that Temporal only believes to be there, never. */
const QUERY_MS = 2_000;
/** A worker that is there takes the first task well within this. */
const WORKER_PATIENCE_MS = 3_000;

/** How following a granule ended. */
export interface GranuleEnd {
  readonly outcome: "published" | "duplicate" | "skipped" | "withdrawn" | "quarantined" | "waiting" | "failed";
  readonly reason: string;
  /** The version that holds it, where it is published. */
  readonly version?: string | undefined;
}

/**
 * Follows a granule until readers see it, it is clear that they will not, or `waitMs` is over (`waiting`, with what it waits
 * for). Says on stderr when no worker is there.
 * @throws an AbortError when `signal` is aborted; the granule goes on.
 */
export async function followGranule(
  client: Client,
  ledger: Ledger,
  granule: Announced,
  options: { readonly waitMs: number; readonly signal: AbortSignal },
): Promise<GranuleEnd> {
  const handle = client.workflow.getHandle(granule.workflowId);
  const started = Date.now();
  let hasSaidNoWorker = false;
  let result: GranuleResult | undefined;
  let failure: string | undefined;
  handle.result().then(
    (end) => {
      result = end as GranuleResult;
    },
    (error: unknown) => {
      failure = error instanceof WorkflowFailedError ? (error.cause?.message ?? error.message) : String(error);
    },
  );
  let waitsFor = "";
  while (Date.now() - started < options.waitMs) {
    options.signal.throwIfAborted();
    if (failure !== undefined) return { outcome: "failed", reason: failure };
    if (result !== undefined) {
      const end = await publishedEnd(ledger, granule, result);
      if (end !== undefined) return end;
      waitsFor = "its publication";
    } else if (await hasWorker(client)) {
      const status = (await client.withDeadline(Date.now() + QUERY_MS, () => handle.query("status")).catch(() => undefined)) as
        | GranuleStatus
        | undefined;
      if (status?.stage === "quarantined") return { outcome: "quarantined", reason: status.reason };
      if (status !== undefined) waitsFor = status.reason;
    } else {
      waitsFor = "a worker: start one with `freshet worker`";
      if (!hasSaidNoWorker && Date.now() - started > WORKER_PATIENCE_MS) {
        hasSaidNoWorker = true;
        console.error("no worker is running yet; start one with `freshet worker`");
      }
    }
    await sleep(LOOK_EVERY_MS);
  }
  const pending = (await handle.describe().catch(() => undefined))?.raw.pendingActivities?.[0]?.lastFailure?.message;
  return {
    outcome: "waiting",
    reason: `still waiting: ${pending ?? (waitsFor || "an answer of its worker")}; it goes on, see freshet status ${granule.dataset} ${granule.key}`,
  };
}

async function publishedEnd(
  ledger: Ledger,
  { dataset, key }: Announced,
  { stage, identity, reason }: GranuleResult,
): Promise<GranuleEnd | undefined> {
  if (stage === "skipped" || stage === "withdrawn") return { outcome: stage, reason };
  const revision = await ledger.revision({ dataset, key, identity });
  if (revision?.state === "quarantined") return { outcome: "quarantined", reason: revision.reason };
  if (revision?.state === "ready" || revision?.state === "heard") return undefined;
  if (revision?.state !== "published") return stage === "duplicate" ? { outcome: "duplicate", reason } : undefined;
  const { product, sequence } = revision.published ?? {};
  const publication = (await ledger.publications(dataset, product, 1_000)).find((other) => other.sequence === sequence);
  return {
    outcome: stage === "duplicate" ? "duplicate" : "published",
    reason: stage === "duplicate" ? reason : "",
    version: publication?.snapshot,
  };
}
