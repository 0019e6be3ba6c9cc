import type { Client } from "@temporalio/client";
import type { BackfillStatus } from "../../contract/index.ts";
import { followWorkflow } from "../follow-workflow.ts";

/**
 * Shows on stderr how far a backfill is until it ends, and answers that. Ctrl-C leaves it running.
 * @throws FreshetError `conflict` where it was cancelled or terminated; an AbortError at Ctrl-C.
 */
export function followBackfill(client: Client, workflowId: string): Promise<BackfillStatus> {
  return followWorkflow(client, workflowId, {
    what: "the backfill",
    describe: describeBackfill,
    goesOn: "it goes on: freshet backfill status",
    remedy: "The same command again goes on with what is left",
  });
}

/** How far a backfill is, in words. */
export function describeBackfill({ total, done, underWay, counts }: BackfillStatus): string {
  const parts = Object.entries(counts).flatMap(([what, count]) =>
    count === 0 || what === "announced" ? [] : [`${count} ${what}`],
  );
  return [`${done} of ${total}`, ...(underWay === 0 ? [] : [`${underWay} under way`]), ...parts].join(", ");
}
