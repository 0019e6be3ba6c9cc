import type { Client } from "@temporalio/client";
import { TASK_QUEUE } from "../contract/index.ts";
import { FreshetError } from "../errors/index.ts";

/** Whether a worker polls for activities, as far as the server knows: it remembers one that has ended for some minutes. */
export async function hasWorker(client: Client): Promise<boolean> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: TASK_QUEUE },
    taskQueueType: 1,
  });
  return (pollers?.length ?? 0) > 0;
}

/** @throws FreshetError `unreachable` where no worker is there to carry something out. */
export async function requireWorker(client: Client): Promise<void> {
  if (await hasWorker(client)) return;
  throw new FreshetError("unreachable", "no worker is running, so nobody can carry it out", {
    expected: `one on namespace ${client.options.namespace}`,
    remedy: "Start one: freshet worker",
  });
}
