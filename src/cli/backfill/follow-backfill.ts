import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@temporalio/client";
import type { BackfillStatus } from "../../contract/index.ts";
import { FreshetError } from "../../errors/index.ts";
import { interruptSignal } from "../interrupt.ts";
import { showLine } from "../progress.ts";

const LOOK_EVERY_MS = 500;

/**
 * Shows on stderr how far a backfill is until it ends, and answers that. Ctrl-C leaves it running.
 * @throws FreshetError `conflict` where it was cancelled or terminated; an AbortError at Ctrl-C.
 */
export async function followBackfill(client: Client, workflowId: string): Promise<BackfillStatus> {
  const handle = client.workflow.getHandle(workflowId);
  const stopped = interruptSignal();
  const line = showLine();
  const end = handle.result().then(
    (result) => ({ result: result as BackfillStatus }),
    (error: unknown) => ({ error }),
  );
  for (;;) {
    const now = await Promise.race([end, sleep(LOOK_EVERY_MS, undefined, { signal: stopped }).catch(() => undefined)]);
    if (stopped.aborted) {
      line.end();
      process.stderr.write(`it goes on: freshet backfill status\n`);
      stopped.throwIfAborted();
    }
    if (now === undefined) {
      const status = await handle.query<BackfillStatus>("status").catch(() => undefined);
      if (status !== undefined) line.show(describeBackfill(status));
      continue;
    }
    line.end();
    if ("error" in now) {
      throw new FreshetError("conflict", "the backfill did not come to its end", {
        found: (now.error as Error).message,
        path: workflowId,
        remedy: "The same command again goes on with what is left",
        cause: now.error,
      });
    }
    return now.result;
  }
}

/** How far a backfill is, in words. */
export function describeBackfill({ total, done, underWay, counts }: BackfillStatus): string {
  const parts = Object.entries(counts).flatMap(([what, count]) =>
    count === 0 || what === "announced" ? [] : [`${count} ${what}`],
  );
  return [`${done} of ${total}`, ...(underWay === 0 ? [] : [`${underWay} under way`]), ...parts].join(", ");
}
