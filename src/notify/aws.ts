import { sqsAccess, sqsRefusal } from "../brokers/index.ts";
import type { Notification } from "../contract/index.ts";
import type { NotifyChannel } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import { secrets } from "../secrets/index.ts";

const CONNECT_MS = 5_000;
const ANSWER_MS = 30_000;
/** Of a queue or a topic that keeps order: the same id within five minutes is taken once, ids are at most 128 characters. */
const MOST_ID_CHARACTERS = 128;

/** Sends the CloudEvent to a queue. */
export async function sendToSqs(
  { queue, region, endpoint }: NotifyChannel & { kind: "sqs" },
  notification: Notification,
  body: string,
  signal: AbortSignal,
): Promise<void> {
  const { SendMessageCommand } = await import("@aws-sdk/client-sqs");
  const access = await sqsAccess({ queue, region, endpoint, visibilityMs: 0 });
  try {
    await access.client.send(
      new SendMessageCommand({ QueueUrl: access.url, MessageBody: body, ...orderOf(access.url, notification) }),
      {
        abortSignal: signal,
      },
    );
  } catch (error) {
    signal.throwIfAborted();
    throw sqsRefusal(error, access) ?? unreachable(access.redaction.of(error), `sqs ${queue}`);
  } finally {
    access.client.destroy();
  }
}

/** Publishes the CloudEvent to a topic; its kind and dataset are attributes, so that subscriptions can choose. */
export async function sendToSns(
  { topic, region, endpoint }: NotifyChannel & { kind: "sns" },
  notification: Notification,
  body: string,
  signal: AbortSignal,
): Promise<void> {
  const { PublishCommand, SNSClient } = await import("@aws-sdk/client-sns");
  const arn = await secrets.textOf(topic);
  const client = new SNSClient({
    region: region ?? arn.split(":")[3] ?? process.env.AWS_REGION ?? "us-east-1",
    ...(endpoint === undefined ? {} : { endpoint: await secrets.textOf(endpoint) }),
    maxAttempts: 1,
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: ANSWER_MS, throwOnRequestTimeout: true },
  });
  const attribute = (text: string): { DataType: string; StringValue: string } => ({ DataType: "String", StringValue: text });
  try {
    await client.send(
      new PublishCommand({
        TopicArn: arn,
        Message: body,
        MessageAttributes: { kind: attribute(notification.kind), dataset: attribute(notification.dataset) },
        ...orderOf(arn, notification),
      }),
      { abortSignal: signal },
    );
  } catch (error) {
    signal.throwIfAborted();
    const { name = "", $fault } = error as { name?: string; $fault?: string };
    if ($fault !== "client" && !/Credentials/.test(name)) throw unreachable(name || "no answer", `sns ${topic}`);
    throw new FreshetError("source-refused", "the topic refuses the notification", {
      found: name,
      uri: `sns ${topic}`,
      remedy: "Correct the topic under `notify` in the dataset file, or allow this process sns:Publish on it",
    });
  } finally {
    client.destroy();
  }
}

function orderOf(place: string, { id, dataset }: Notification): { MessageGroupId?: string; MessageDeduplicationId?: string } {
  if (!place.endsWith(".fifo")) return {};
  return { MessageGroupId: dataset, MessageDeduplicationId: id.replace(/[^A-Za-z0-9]/g, "_").slice(-MOST_ID_CHARACTERS) };
}

function unreachable(found: string, uri: string): FreshetError {
  return new FreshetError("unreachable", "whoever is to be notified does not answer", { found, uri });
}
