import { type AmqpAccess, amqpAccess, amqpRefusal, connectBroker } from "../brokers/index.ts";
import type { Notification } from "../contract/index.ts";
import type { NotifyChannel } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";

/** Publishes the CloudEvent to an exchange, and waits until the broker confirms that it has it (publisher confirms). */
export async function sendToAmqp(
  { exchange, key, ...channel }: NotifyChannel & { kind: "amqp" },
  { id, kind, dataset, atMs }: Notification,
  body: string,
): Promise<void> {
  const access = await amqpAccess(channel);
  try {
    const connection = await connectBroker(access);
    // An error of the connection ends what waits for it; without a listener it would end the process.
    connection.on("error", () => undefined);
    try {
      const confirming = await connection.createConfirmChannel();
      const failed = new Promise<never>((_, reject) => confirming.once("error", reject));
      failed.catch(() => undefined);
      await Promise.race([confirming.checkExchange(exchange), failed]);
      confirming.publish(exchange, key ?? `freshet.${dataset}.${kind}`, Buffer.from(body), {
        contentType: "application/cloudevents+json",
        messageId: id,
        timestamp: Math.floor(atMs / 1000),
        persistent: true,
      });
      await Promise.race([confirming.waitForConfirms(), failed]);
    } finally {
      await connection.close().catch(() => undefined);
    }
  } catch (error) {
    throw meaningOf(error, access);
  }
}

function meaningOf(error: unknown, access: AmqpAccess): unknown {
  if (error instanceof FreshetError) return error;
  return (
    amqpRefusal(error, access) ??
    new FreshetError("unreachable", "whoever is to be notified does not answer", {
      found: access.redaction.of(error),
      uri: `amqp ${access.shown}`,
    })
  );
}
