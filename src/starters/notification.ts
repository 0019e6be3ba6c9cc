import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowHandle,
  WorkflowIdReusePolicy,
} from "@temporalio/client";
import { SearchAttributeType, TypedSearchAttributes } from "@temporalio/common";
import {
  type DatasetReference,
  type Notification,
  type NotificationInput,
  notificationWorkflowId,
  TASK_QUEUE,
} from "../contract/index.ts";
import type { Dataset } from "../dataset/index.ts";

/**
 * Sees to it that everybody whom the dataset file names for this is told, once Temporal holds it. The same notification again changes
 * nothing, as long as Temporal remembers the first.
 */
export async function notify(
  client: Client,
  { notify: targets = [] }: Dataset,
  reference: DatasetReference,
  notification: Notification,
): Promise<void> {
  if (!targets.some(({ when }) => when.includes(notification.kind))) return;
  await startNotification(client, { dataset: reference, notification }).catch((error: unknown) => {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  });
}

/** @param again a text that makes it another one: it is told once more. @throws WorkflowExecutionAlreadyStartedError. */
export async function startNotification(client: Client, input: NotificationInput, again?: string): Promise<WorkflowHandle> {
  const { dataset, notification } = input;
  return client.workflow.start("notification", {
    workflowId: notificationWorkflowId(dataset.name, again === undefined ? notification.id : `${notification.id} ${again}`),
    taskQueue: TASK_QUEUE,
    args: [input],
    workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
    typedSearchAttributes: new TypedSearchAttributes([
      { key: { name: "FreshetDataset", type: SearchAttributeType.KEYWORD }, value: dataset.name },
    ]),
    staticSummary: `${notification.kind}: ${notification.subject} of ${dataset.name}`,
  });
}
