import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@temporalio/client";
import { FreshetError } from "../errors/index.ts";
import { interruptSignal } from "./interrupt.ts";
import { showLine } from "./progress.ts";

const LOOK_EVERY_MS = 500;

/** How a workflow that is followed is told about. */
export interface Followed<Status> {
  /** `the backfill`: begins the sentence of an error. */
  readonly what: string;
  /** How far it is, in words. */
  readonly describe: (status: Status) => string;
  /** What is said at Ctrl-C. */
  readonly goesOn: string;
  /** What to do where it did not come to its end. */
  readonly remedy: string;
}

/**
 * Shows on stderr how far a workflow is (its query `status`) until it ends, and answers its result. Ctrl-C leaves it running.
 * @throws FreshetError `conflict` where it failed, was cancelled or terminated; an AbortError at Ctrl-C.
 */
export async function followWorkflow<Status>(
  client: Client,
  workflowId: string,
  { what, describe, goesOn, remedy }: Followed<Status>,
): Promise<Status> {
  const handle = client.workflow.getHandle(workflowId);
  const stopped = interruptSignal();
  const line = showLine();
  const end = handle.result().then(
    (result) => ({ result: result as Status }),
    (error: unknown) => ({ error }),
  );
  for (;;) {
    const now = await Promise.race([end, sleep(LOOK_EVERY_MS, undefined, { signal: stopped }).catch(() => undefined)]);
    if (stopped.aborted) {
      line.end();
      process.stderr.write(`${goesOn}\n`);
      stopped.throwIfAborted();
    }
    if (now === undefined) {
      const status = await handle.query<Status>("status").catch(() => undefined);
      if (status !== undefined) line.show(describe(status));
      continue;
    }
    line.end();
    if ("error" in now) {
      throw new FreshetError("conflict", `${what} did not come to its end`, {
        found: rootCause(now.error),
        path: workflowId,
        remedy,
        cause: now.error,
      });
    }
    return now.result;
  }
}

/** Temporal wraps the reason: the innermost says it. */
function rootCause(error: unknown): string {
  let current = error as Error;
  while (current.cause instanceof Error) current = current.cause;
  return current.message;
}
