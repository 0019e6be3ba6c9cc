import { z } from "zod";
import { type FormReader, issueOf, malformed, readingOf } from "./outcome.ts";
import { quote } from "./quote.ts";

const notificationSchema = z.looseObject({
  Message: z.string(),
  MessageAttributes: z.record(z.string(), z.looseObject({ Value: z.string() })).optional(),
});

/**
 * A notification of SNS: what is in `Message` is read as if it had come by itself, with `MessageAttributes` as its attributes.
 * (With raw delivery there is no envelope.) Confirmations are not followed: whoever subscribes confirms.
 */
export const readSns: FormReader = ({ value, attributes }, readInner) => {
  if (typeof value.TopicArn !== "string" || typeof value.Type !== "string") return undefined;
  if (value.Type === "SubscriptionConfirmation" || value.Type === "UnsubscribeConfirmation") {
    return readingOf("sns", [{ passedOver: `a ${value.Type} of the topic ${quote(value.TopicArn)}, for its owner to answer` }]);
  }
  if (value.Type !== "Notification") return malformed(`a message of SNS of the type ${quote(value.Type)}`, "a Notification");
  const parsed = notificationSchema.safeParse(value);
  if (!parsed.success) return malformed(issueOf(parsed.error), "a Notification of SNS");
  const { Message, MessageAttributes = {} } = parsed.data;
  const inner = Object.entries(MessageAttributes).map(([name, { Value }]) => [name, Value] as const);
  return readInner(Message, { ...attributes, ...Object.fromEntries(inner) });
};
