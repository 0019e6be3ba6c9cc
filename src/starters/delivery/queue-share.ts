import type { Client } from "@temporalio/client";

/** Enough to tell installations at one broker apart. */
const CHARACTERS = 8;

/** What the names of an installation's queues end in: the beginning of the id of its Temporal namespace. */
export async function queueShare(client: Client): Promise<string> {
  const { namespace } = client.options;
  const { namespaceInfo } = await client.workflowService.describeNamespace({ namespace });
  return (namespaceInfo?.id ?? namespace).slice(0, CHARACTERS);
}
