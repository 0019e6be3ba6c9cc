import type { Notification } from "../contract/index.ts";
import type { NotifyChannel } from "../dataset/index.ts";
import { FreshetError, isFreshetError } from "../errors/index.ts";
import { secrets } from "../secrets/index.ts";
import { sendToAmqp } from "./amqp.ts";
import { sendToSns, sendToSqs } from "./aws.ts";
import { cloudEventOf } from "./cloudevent.ts";
import { sendToGithub, sendToWebhook } from "./http.ts";

/**
 * Sends a notification to one channel, once. It may arrive twice where an answer was lost: receivers know it by its id.
 * @throws FreshetError `unreachable` when it may succeed later; `source-refused`, `usage` when somebody has to do something first.
 */
export async function deliver(channel: NotifyChannel, notification: Notification, signal: AbortSignal): Promise<void> {
  const body = JSON.stringify(cloudEventOf(notification));
  try {
    switch (channel.kind) {
      case "webhook":
        return await sendToWebhook(channel, body, signal);
      case "github":
        return await sendToGithub(channel, notification, signal);
      case "sns":
        return await sendToSns(channel, notification, body, signal);
      case "sqs":
        return await sendToSqs(channel, notification, body, signal);
      case "amqp":
        return await sendToAmqp(channel, notification, body);
    }
  } catch (error) {
    // A secret that was changed meanwhile is asked for anew at the next try.
    if (!isFreshetError(error, "source-refused") || !(await secrets.refused(secretsOf(channel)))) throw error;
    throw new FreshetError("unreachable", "whoever is to be notified refused a secret that is another one now", { cause: error });
  }
}

/** A channel in words that may be shown. */
export function describeChannel(channel: NotifyChannel): string {
  switch (channel.kind) {
    case "webhook":
      return `webhook ${channel.url}`;
    case "github":
      return `github ${channel.repository}`;
    case "sns":
      return `sns ${channel.topic}`;
    case "sqs":
      return `sqs ${channel.queue}`;
    case "amqp":
      return `amqp ${channel.broker} ${channel.exchange}`;
  }
}

function secretsOf(channel: NotifyChannel): string[] {
  return Object.values(channel).filter((value): value is string => typeof value === "string" && value.startsWith("${"));
}
