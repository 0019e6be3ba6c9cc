import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@temporalio/client";
import { FreshetError } from "../../errors/index.ts";
import { connectTemporal } from "../../starters/index.ts";

/** A namespace is told to all parts of a server within ten seconds. */
const KNOWN_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 200;
const ALREADY_EXISTS = 6;
const KEPT_SECONDS = 86_400;

/**
 * The demo's namespace on a server that is not its own. Datasets of the same names may be kept there in earnest, and workers
 * of another ledger would take the demo's work: so it is one that only a demo in this folder of this machine uses.
 */
export function guestNamespace(folder: string): string {
  return `freshet-demo-${createHash("sha256").update(`${hostname()}:${folder}`).digest("hex").slice(0, 8)}`;
}

/**
 * Makes the namespace if need be, waits until it can be used, and ends what an earlier demo left open in it.
 * @throws FreshetError `unreachable`.
 */
export async function enterNamespace(address: string, namespace: string, isGuest: boolean, signal: AbortSignal): Promise<void> {
  const client = await connectTemporal(address, namespace, { mayBeMissing: isGuest });
  try {
    if (isGuest) await register(client, address, namespace);
    const deadline = Date.now() + KNOWN_WITHIN_MS;
    for (;;) {
      signal.throwIfAborted();
      try {
        await client.workflowService.countWorkflowExecutions({ namespace });
        break;
      } catch (cause) {
        if (Date.now() > deadline) throw unusable(address, namespace, cause);
      }
      await sleep(LOOK_EVERY_MS);
    }
    if (isGuest) await endOpenWorkflows(client, "an earlier demo left it open");
  } finally {
    await client.connection.close();
  }
}

/** Ends every open workflow of the client's namespace. */
export async function endOpenWorkflows(client: Client, reason: string): Promise<void> {
  for await (const { workflowId } of client.workflow.list({ query: 'ExecutionStatus = "Running"' })) {
    await client.workflow
      .getHandle(workflowId)
      .terminate(reason)
      .catch(() => undefined);
  }
}

async function register(client: Client, address: string, namespace: string): Promise<void> {
  try {
    await client.workflowService.registerNamespace({
      namespace,
      description: "freshet demo",
      workflowExecutionRetentionPeriod: { seconds: KEPT_SECONDS as never },
    });
  } catch (cause) {
    if ((cause as { code?: number }).code !== ALREADY_EXISTS) throw unusable(address, namespace, cause);
  }
}

function unusable(address: string, namespace: string, cause: unknown): FreshetError {
  return new FreshetError("unreachable", "the demo's namespace cannot be used", {
    found: (cause as Error).message.split("\n")[0],
    uri: address,
    path: namespace,
    remedy: `Make it (temporal operator namespace create --namespace ${namespace}), or unset TEMPORAL_ADDRESS: the demo then starts a server`,
    cause,
  });
}
