import type { Redaction } from "../../secrets/index.ts";
import { BackOff, pause } from "./back-off.ts";
import type { Contact } from "./contact.ts";
import { BATCH, type SqsQueue } from "./sqs-queue.ts";
import type { Log } from "./starter.ts";

/** Deletions that come within this time share a request. */
const GATHER_MS = 50;
const AGAIN = { firstMs: 500, mostMs: 10_000 };

interface Waiting {
  readonly handle: string;
  readonly done: (isDeleted: boolean) => void;
}

export interface DeletionParts {
  readonly queue: SqsQueue;
  readonly contact: Contact;
  readonly redaction: Redaction;
  readonly log: Log;
  readonly name: string;
  /** Beyond this time a message is given to somebody else anyhow. */
  readonly visibilityMs: number;
  /** Once it aborts, what fails is not tried again. */
  readonly signal: AbortSignal;
}

/** Deletes messages, ten with a request. One that cannot be deleted comes again and ends as a duplicate. */
export class SqsDeletions {
  readonly #parts: DeletionParts;
  #waiting: Waiting[] = [];
  #timer: Promise<void> | undefined;

  constructor(parts: DeletionParts) {
    this.#parts = parts;
  }

  /** Resolves when the message is deleted, or was given up. Never throws. */
  delete(handle: string): Promise<boolean> {
    return new Promise((done) => {
      this.#waiting.push({ handle, done });
      if (this.#waiting.length >= BATCH) this.#send();
      else this.#timer ??= pause(GATHER_MS, NEVER).then(() => this.#send());
    });
  }

  #send(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    this.#timer = undefined;
    if (batch.length > 0) void this.#deleteAll(batch);
  }

  async #deleteAll(batch: readonly Waiting[]): Promise<void> {
    const { queue, contact, redaction, log, name, visibilityMs, signal } = this.#parts;
    const until = Date.now() + visibilityMs;
    const backOff = new BackOff(AGAIN);
    let left = batch;
    for (;;) {
      let why: string | undefined;
      try {
        const failed = await queue.delete(left.map(({ handle }) => handle));
        contact.answers();
        for (const { handle, done } of left) if (!failed.has(handle)) done(true);
        left = left.filter(({ handle }) => failed.has(handle));
        [why] = failed.values();
      } catch (error) {
        why = redaction.of(error);
        contact.lost(why);
      }
      if (left.length === 0) return;
      if (signal.aborted || Date.now() > until) {
        log.warn({ messages: left.length, why }, `${name}: messages that are done could not be deleted, and will come again`);
        for (const { done } of left) done(false);
        return;
      }
      await backOff.wait(signal);
    }
  }
}

const NEVER = new AbortController().signal;
