import type { Channel, ChannelModel } from "amqplib";
import { codeOf } from "../../brokers/index.ts";

/** As long as nobody asks for it, the broker keeps the queue: over a long weekend, not for ever. */
const EXPIRES_MS = 3 * 86_400_000;
const NOT_FOUND = 404;

/** Topics of an exchange that a queue asks for. */
export interface Binding {
  readonly exchange: string;
  readonly topic: string;
}

/**
 * The queue's name by Sarracenia's convention, `q_USER.PROGRAM.CONFIG.SHARE`. `share` tells installations apart that have the same user,
 * as all have on a public broker: with one queue for two, each would get half of the messages.
 */
export function queueName(user: string, source: string, share: string): string {
  return `q_${user}.freshet.${source}.${share}`;
}

/**
 * Makes the queue where it is not there, durable and expiring when nobody uses it for three days, and asks for the topics. A queue that
 * is there is used as it is, whatever its arguments: a broker refuses to declare one with others. Topics that were asked for before stay.
 */
export async function prepareQueue(connection: ChannelModel, name: string, bindings: readonly Binding[]): Promise<void> {
  if (!(await isThere(connection, name))) {
    await onChannel(connection, (channel) =>
      channel.assertQueue(name, { durable: true, autoDelete: false, arguments: { "x-expires": EXPIRES_MS } }),
    );
  }
  await onChannel(connection, async (channel) => {
    for (const { exchange, topic } of bindings) await channel.bindQueue(name, exchange, topic);
  });
}

async function isThere(connection: ChannelModel, name: string): Promise<boolean> {
  try {
    await onChannel(connection, (channel) => channel.checkQueue(name));
    return true;
  } catch (error) {
    if (codeOf(error) === NOT_FOUND) return false;
    throw error;
  }
}

/** Works on a channel of its own: the broker closes the channel on which something was refused. */
export async function onChannel<T>(connection: ChannelModel, work: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = await connection.createChannel();
  let isOpen = true;
  // What is refused is thrown where it was asked for.
  channel.on("error", () => undefined);
  channel.on("close", () => {
    isOpen = false;
  });
  try {
    return await work(channel);
  } finally {
    if (isOpen) await channel.close().catch(() => undefined);
  }
}
