import type { AmqpDelivery, Source } from "../../dataset/index.ts";
import { FreshetError } from "../../errors/index.ts";
import type { Check, Found } from "./finding.ts";

const HOST_REMEDY = "See that the host of `amqp.broker` is right and can be reached from here";

/** Whether a source's broker lets us in, has the exchange, and lets us take from the queue where that is there. Nothing is made. */
export function amqpChecks({ name, amqp }: Source, share: string): Check[] {
  if (amqp === undefined) return [];
  return [{ part: `broker of ${name}`, remedy: HOST_REMEDY, look: () => lookAtBroker(name, amqp, share) }];
}

async function lookAtBroker(source: string, delivery: AmqpDelivery, share: string): Promise<Found> {
  const [{ amqpAccess, amqpRefusal, codeOf }, { connectBroker }, { queueName, onChannel }] = await Promise.all([
    import("../../brokers/index.ts"),
    import("../../brokers/index.ts"),
    import("../../starters/delivery/amqp-queue.ts"),
  ]);
  const access = await amqpAccess(delivery);
  const queue = delivery.queue ?? queueName(access.user, source, share);
  try {
    const connection = await connectBroker(access);
    connection.on("error", () => undefined);
    try {
      await onChannel(connection, (channel) => channel.checkExchange(delivery.exchange));
      // What is there is given back at once; where there is no queue, the answer still tells whether we might take from it.
      const isThere = await onChannel(connection, async (channel) => {
        const message = await channel.get(queue, { noAck: false });
        if (message !== false) channel.nack(message, false, true);
        return true;
      }).catch((error: unknown) => {
        if (codeOf(error) === NOT_FOUND) return false;
        throw error;
      });
      const found = `${access.shown}, exchange ${delivery.exchange}, queue ${queue}`;
      return isThere ? found : { found, note: "The queue is not there yet: the starter makes it" };
    } finally {
      await connection.close().catch(() => undefined);
    }
  } catch (error) {
    const away = { found: access.redaction.of(error), uri: access.shown, remedy: HOST_REMEDY };
    throw amqpRefusal(error, access) ?? new FreshetError("unreachable", "the broker does not answer", away);
  }
}

const NOT_FOUND = 404;
