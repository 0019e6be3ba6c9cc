import type { Client } from "@temporalio/client";
import { TASK_QUEUE } from "../contract/index.ts";

/** Whether a worker polls for activities, as far as the server knows: it remembers one that has ended for some minutes. */
export async function hasWorker(client: Client): Promise<boolean> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: TASK_QUEUE },
    taskQueueType: 1,
  });
  return (pollers?.length ?? 0) > 0;
}
