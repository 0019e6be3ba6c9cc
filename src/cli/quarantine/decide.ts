import { type Client, WorkflowUpdateFailedError } from "@temporalio/client";
import { type Decision, granuleWorkflowId } from "../../contract/index.ts";
import { FreshetError } from "../../errors/index.ts";
import type { Ledger, Revision } from "../../ledger/index.ts";
import { epochGroup } from "../../products/index.ts";
import { followGranule } from "../follow-granule.ts";
import { hasWorker } from "../has-worker.ts";
import { interruptSignal } from "../interrupt.ts";

/** What came of a decision. */
export interface Decided {
  readonly dataset: string;
  readonly key: string;
  readonly action: Decision["action"];
  /** `skipped`, `tried again, now awaiting`, `accepted, …`. */
  readonly outcome: string;
  /** False: it waits for a decision still, or again. */
  readonly isSettled: boolean;
  /** Of an accepted granule. */
  readonly epoch?: number | undefined;
}

/**
 * Takes a decision about a granule in quarantine. An accepted one is followed for `waitMs`, until readers see it.
 * @throws FreshetError `conflict` when its workflow does not take it; `unreachable` without a worker.
 */
export async function decide(
  client: Client,
  ledger: Ledger,
  { dataset, key, identity }: Revision,
  decision: Decision,
  waitMs: number,
): Promise<Decided> {
  const { action } = decision;
  const told = { dataset, key, action };
  if (!(await hasWorker(client))) {
    throw new FreshetError("unreachable", "no worker is running, so nobody can take the decision", {
      remedy: "Start one: freshet worker",
    });
  }
  const before = (await ledger.templates(dataset)).reduce((newest, { epoch }) => Math.max(newest, epoch), 0);
  const workflowId = granuleWorkflowId(dataset, key);
  const stage = await update(client, workflowId, decision);
  if (action === "skip") return { ...told, outcome: "skipped", isSettled: true };
  if (action === "retry") return { ...told, outcome: `tried again, now ${stage}`, isSettled: true };
  const signal = interruptSignal();
  const end = await followGranule(client, ledger, { dataset, key, workflowId }, { waitMs, signal });
  const epoch = (await ledger.revision({ dataset, key, identity }))?.epoch;
  if (end.outcome === "quarantined" || end.outcome === "failed")
    return { ...told, outcome: `accepted, and ${end.outcome} all the same: ${end.reason}`, isSettled: false };
  const place =
    epoch === undefined ? "" : `, ${epoch > before ? "begins" : "has the form of"} epoch ${epoch} (${groupText(epoch)})`;
  const version = end.version === undefined ? end.reason || end.outcome : `published in version ${end.version}`;
  return { ...told, outcome: `accepted${place}; ${version}`, isSettled: end.outcome !== "waiting" || waitMs === 0, epoch };
}

function groupText(epoch: number): string {
  const group = epochGroup(epoch);
  return group === "" ? "the root group" : `group ${group.slice(1)}`;
}

async function update(client: Client, workflowId: string, decision: Decision): Promise<string> {
  try {
    return (await client.workflow.getHandle(workflowId).executeUpdate("decide", { args: [decision] })) as string;
  } catch (cause) {
    const found = cause instanceof WorkflowUpdateFailedError ? cause.cause?.message : (cause as Error).message;
    throw new FreshetError("conflict", "the decision was not taken", {
      found,
      path: workflowId,
      remedy: "Look where it is (freshet status DATASET GRANULE); without a workflow, announce it again (freshet ingest)",
      cause,
    });
  }
}
