import type { Channel, ChannelModel, ConsumeMessage } from "amqplib";
import { type AmqpAccess, amqpAccess, amqpRefusal, connectBroker } from "../../brokers/index.ts";
import type { AmqpDelivery } from "../../dataset/index.ts";
import { type FreshetError, isFreshetError } from "../../errors/index.ts";
import { secrets } from "../../secrets/index.ts";
import { type Binding, prepareQueue } from "./amqp-queue.ts";
import { aborted, BackOff } from "./back-off.ts";
import { Contact } from "./contact.ts";
import type { Intake } from "./intake.ts";
import type { Log, Starter } from "./starter.ts";

const AGAIN = { firstMs: 1_000, mostMs: 30_000 };
/** How long a broker gets to say good-bye. */
const CLOSE_MS = 5_000;
const REMEDY = "See that the host of `amqp.broker` is right and can be reached from here";

export interface AmqpStarterOptions {
  readonly name: string;
  readonly delivery: AmqpDelivery;
  /** The queue's name, for the user that we are at the broker. */
  readonly queueFor: (user: string) => string;
  readonly bindings: readonly Binding[];
  /** Messages that are under way at once. */
  readonly prefetch: number;
  readonly intake: Intake;
  readonly log: Log;
}

/**
 * A queue of a broker of AMQP 0-9-1. A message is acknowledged when Temporal holds what it announces, or when there is nothing in it for
 * us. A malformed one is rejected: the broker moves it to the queue's dead-letter exchange, and drops it where there is none; it is
 * counted, and its reason is in the log.
 */
export class AmqpStarter implements Starter {
  readonly name: string;
  readonly #options: AmqpStarterOptions;
  readonly #contact: Contact;

  constructor(options: AmqpStarterOptions) {
    this.name = options.name;
    this.#options = options;
    this.#contact = new Contact(`${options.name}: the broker`, REMEDY, options.log);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { delivery } = this.#options;
    const backOff = new BackOff(AGAIN);
    let wasIn = false;
    while (!signal.aborted) {
      let access: AmqpAccess | undefined;
      try {
        // Looked up for each connection: a password may have become another.
        access = await amqpAccess(delivery);
        await this.#session(access, signal, () => {
          wasIn = true;
          backOff.reset();
        });
      } catch (error) {
        const refusal = access === undefined ? ours(error) : amqpRefusal(error, access);
        if (access !== undefined && refusal !== undefined && (await this.#isRenewed())) continue;
        if (refusal !== undefined && !wasIn) throw refusal;
        this.#contact.lost(refusal?.message ?? access?.redaction.of(error) ?? "no reason was given");
        await backOff.wait(signal);
      }
    }
  }

  /** Whether the broker refused a secret that is another now. */
  async #isRenewed(): Promise<boolean> {
    const { broker, user, password } = this.#options.delivery;
    try {
      return await secrets.refused([broker, user, password]);
    } catch (error) {
      // The next attempt says so.
      if (isFreshetError(error)) return false;
      throw error;
    }
  }

  /** One connection, from its beginning to its end. Resolves when the signal aborts; throws when the connection is lost. */
  async #session(access: AmqpAccess, signal: AbortSignal, onOpen: () => void): Promise<void> {
    const { queueFor, bindings, prefetch, log } = this.#options;
    const queue = queueFor(access.user);
    const lost = new AbortController();
    const connection = await connectBroker(access);
    connection.on("error", (error: Error) => lost.abort(error));
    connection.on("close", (error?: Error) => lost.abort(error ?? new Error("the broker closed the connection")));
    try {
      await Promise.race([prepareQueue(connection, queue, bindings), thrown(lost.signal)]);
      const channel = await connection.createChannel();
      channel.on("error", (error: Error) => lost.abort(error));
      channel.on("close", () => lost.abort(new Error("the broker closed the channel")));
      await channel.prefetch(prefetch);
      const consumer = new Consumer(this.#options, channel, AbortSignal.any([signal, lost.signal]));
      const { consumerTag } = await channel.consume(queue, (message) => {
        if (message === null) lost.abort(new Error("the queue is gone"));
        else consumer.take(message);
      });
      onOpen();
      if (this.#contact.isLost) this.#contact.answers();
      else log.info({ broker: access.shown, queue }, `${this.name}: messages are taken`);
      await Promise.race([aborted(signal), aborted(lost.signal)]);
      if (!lost.signal.aborted) await Promise.race([channel.cancel(consumerTag), thrown(lost.signal)]);
      await consumer.finished();
      // The answer says that the broker has the acknowledgements before it.
      if (!lost.signal.aborted) await Promise.race([channel.close(), thrown(lost.signal)]);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    } finally {
      await close(connection);
    }
    if (!signal.aborted) throw lost.signal.reason;
  }
}

/** Takes the messages of one channel; several at once, no more than the broker gives. */
class Consumer {
  readonly #options: AmqpStarterOptions;
  readonly #channel: Channel;
  readonly #signal: AbortSignal;
  readonly #handled = new Set<Promise<void>>();

  /** Once the signal aborts, what Temporal does not take is left to come again. */
  constructor(options: AmqpStarterOptions, channel: Channel, signal: AbortSignal) {
    this.#options = options;
    this.#channel = channel;
    this.#signal = signal;
  }

  take(message: ConsumeMessage): void {
    const handled = this.#handle(message).finally(() => this.#handled.delete(handled));
    this.#handled.add(handled);
  }

  async finished(): Promise<void> {
    await Promise.all(this.#handled);
  }

  async #handle(message: ConsumeMessage): Promise<void> {
    const { intake, log, name } = this.#options;
    const { content, fields, properties } = message;
    const outcome = await intake.take(
      { body: content, attributes: textHeaders(properties.headers), topic: fields.routingKey },
      this.#signal,
    );
    try {
      if (outcome.kind === "not-taken") this.#channel.nack(message, false, true);
      else if (outcome.kind !== "malformed") this.#channel.ack(message);
      else {
        const { reason } = outcome;
        log.warn({ topic: fields.routingKey.slice(0, 255), reason }, `${name}: a malformed message is rejected: ${reason}`);
        this.#channel.nack(message, false, false);
      }
    } catch {
      // The channel is closed: the broker gives the message again, and it ends as a duplicate.
    }
  }
}

/** An error of our own; anything else is a defect. */
function ours(error: unknown): FreshetError {
  if (isFreshetError(error)) return error;
  throw error;
}

/** Headers that are text; Sarracenia's facts are. */
function textHeaders(headers: Readonly<Record<string, unknown>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

function thrown(signal: AbortSignal): Promise<never> {
  return aborted(signal).then(() => Promise.reject(signal.reason));
}

/** Closes a connection that may be gone already, or whose broker does not answer any more. */
async function close(connection: ChannelModel): Promise<void> {
  const late = AbortSignal.timeout(CLOSE_MS);
  try {
    await Promise.race([connection.close(), thrown(late)]);
  } catch {
    // It is gone, and with it whatever it had not acknowledged.
  }
}
