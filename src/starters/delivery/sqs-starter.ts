import { type SqsAccess, sqsAccess, sqsRefusal } from "../../brokers/index.ts";
import type { SqsDelivery } from "../../dataset/index.ts";
import { aborted, BackOff } from "./back-off.ts";
import { Contact } from "./contact.ts";
import type { Intake } from "./intake.ts";
import { SqsDeletions } from "./sqs-deletions.ts";
import { BATCH, type SqsMessage, SqsQueue } from "./sqs-queue.ts";
import { SqsUnderWay } from "./sqs-under-way.ts";
import type { Log, Starter } from "./starter.ts";

/** Temporal takes some hundred announcements a second, each in some 50 ms: more at once would only wait there. */
const AT_ONCE = 40;
const AGAIN = { firstMs: 1_000, mostMs: 30_000 };
const REMEDY = "See that the host of `sqs.queue` is right and can be reached from here";

export interface SqsStarterOptions {
  readonly name: string;
  readonly delivery: SqsDelivery;
  readonly intake: Intake;
  readonly log: Log;
}

/**
 * A queue of SQS. A message is deleted when Temporal holds what it announces, or when there is nothing in it for us. Malformed ones go to
 * the dead-letter queue with the reason; where there is none, they are left to come again, and counted.
 */
export class SqsStarter implements Starter {
  readonly name: string;
  readonly #options: SqsStarterOptions;
  readonly #contact: Contact;

  constructor(options: SqsStarterOptions) {
    this.name = options.name;
    this.#options = options;
    this.#contact = new Contact(`${options.name}: the queue`, REMEDY, options.log);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { delivery, log } = this.#options;
    const { visibilityMs } = delivery;
    const access = await sqsAccess(delivery);
    const queue = new SqsQueue(access, visibilityMs);
    try {
      const deadLetters = await this.#open(queue, access, signal);
      if (signal.aborted) return;
      log.info({ queue: access.shown, deadLetters: deadLetters !== undefined }, `${this.name}: messages are taken`);
      const parts = { queue, contact: this.#contact, redaction: access.redaction, log, name: this.name, visibilityMs, signal };
      await new Session({ ...parts, access, deadLetters, intake: this.#options.intake }).run();
    } finally {
      access.client.destroy();
    }
  }

  /** The URL of the dead-letter queue, once the queue has answered. @throws FreshetError when it refuses for good. */
  async #open(queue: SqsQueue, access: SqsAccess, signal: AbortSignal): Promise<string | undefined> {
    const backOff = new BackOff(AGAIN);
    while (!signal.aborted) {
      try {
        const deadLetters = await queue.deadLetterQueue();
        this.#contact.answers();
        return deadLetters && (await this.#urlOf(queue, deadLetters, access));
      } catch (error) {
        const refusal = sqsRefusal(error, access);
        if (refusal !== undefined) throw refusal;
        this.#contact.lost(access.redaction.of(error));
        await backOff.wait(signal);
      }
    }
    return undefined;
  }

  async #urlOf(queue: SqsQueue, deadLetters: { name: string; account: string }, access: SqsAccess): Promise<string | undefined> {
    try {
      return await queue.urlOf(deadLetters);
    } catch (error) {
      const refusal = sqsRefusal(error, access);
      if (refusal === undefined) throw error;
      // The queue itself is ours: its own policy moves what comes too often.
      const facts = { deadLetters: deadLetters.name, why: access.redaction.of(error) };
      this.#options.log.warn(
        facts,
        `${this.name}: the dead-letter queue is not open to us; malformed messages get there without a reason`,
      );
      return undefined;
    }
  }
}

interface SessionParts {
  readonly queue: SqsQueue;
  readonly contact: Contact;
  readonly redaction: SqsAccess["redaction"];
  readonly log: Log;
  readonly name: string;
  readonly visibilityMs: number;
  readonly signal: AbortSignal;
  readonly access: SqsAccess;
  readonly deadLetters: string | undefined;
  readonly intake: Intake;
}

/** Polls, and handles several messages at once, until the signal aborts. */
class Session {
  readonly #parts: SessionParts;
  readonly #deletions: SqsDeletions;
  readonly #underWay: SqsUnderWay;
  readonly #handled = new Set<Promise<void>>();
  readonly #notTaken: string[] = [];

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#deletions = new SqsDeletions(parts);
    this.#underWay = new SqsUnderWay(parts);
  }

  async run(): Promise<void> {
    const { signal } = this.#parts;
    const over = new AbortController();
    const keeping = this.#underWay.keep(over.signal);
    const stop = aborted(signal);
    const backOff = new BackOff(AGAIN);
    while (!signal.aborted) {
      if (this.#handled.size > AT_ONCE - BATCH) await Promise.race([...this.#handled, stop]);
      else if (await this.#receive()) backOff.reset();
      else await backOff.wait(signal);
    }
    await Promise.all(this.#handled);
    // Not before the last poll has ended, which would take them again.
    await this.#release();
    over.abort();
    await keeping;
  }

  /** One poll. False: the queue did not answer. */
  async #receive(): Promise<boolean> {
    const { queue, contact, access } = this.#parts;
    try {
      const messages = await queue.receive();
      contact.answers();
      for (const message of messages) {
        this.#underWay.add(message.handle);
        const handled = this.#handle(message).finally(() => {
          this.#underWay.remove(message.handle);
          this.#handled.delete(handled);
        });
        this.#handled.add(handled);
      }
      return true;
    } catch (error) {
      const refusal = sqsRefusal(error, access);
      contact.lost(refusal?.message ?? access.redaction.of(error));
      return false;
    }
  }

  async #handle(message: SqsMessage): Promise<void> {
    const { intake, signal } = this.#parts;
    const outcome = await intake.take({ body: message.body, attributes: message.attributes }, signal);
    if (outcome.kind === "not-taken") this.#notTaken.push(message.handle);
    else if (outcome.kind !== "malformed" || (await this.#setAside(message, outcome.reason)))
      await this.#deletions.delete(message.handle);
  }

  /** Puts a malformed message into the dead-letter queue. False: it stays where it is. */
  async #setAside(message: SqsMessage, reason: string): Promise<boolean> {
    const { queue, deadLetters, log, name, redaction } = this.#parts;
    const facts = { message: message.received.MessageId, reason };
    if (deadLetters === undefined) {
      // It comes again and again: one line is enough.
      if (message.receives === 1) log.warn(facts, `${name}: a malformed message is left in the queue: ${reason}`);
      return false;
    }
    try {
      await queue.sendTo(deadLetters, message, reason);
      log.warn(facts, `${name}: a malformed message goes to the dead-letter queue: ${reason}`);
      return true;
    } catch (error) {
      const why = redaction.of(error);
      log.warn(
        { ...facts, why },
        `${name}: a malformed message could not go to the dead-letter queue, and comes again: ${reason}`,
      );
      return false;
    }
  }

  /** Gives back what Temporal did not take. */
  async #release(): Promise<void> {
    const { queue, log, name, redaction } = this.#parts;
    try {
      for (let from = 0; from < this.#notTaken.length; from += BATCH) {
        await queue.keep(this.#notTaken.slice(from, from + BATCH), { release: true });
      }
    } catch (error) {
      log.warn(
        { why: redaction.of(error) },
        `${name}: messages could not be given back, and come again when their visibility ends`,
      );
    }
  }
}
