import type { Redaction } from "../../secrets/index.ts";
import { pause } from "./back-off.ts";
import type { Contact } from "./contact.ts";
import { BATCH, type SqsQueue } from "./sqs-queue.ts";

/** How often in the time of its visibility a message is asked for anew: one request may be lost. */
const TIMES = 3;

export interface UnderWayParts {
  readonly queue: SqsQueue;
  readonly contact: Contact;
  readonly redaction: Redaction;
  readonly visibilityMs: number;
}

/** The messages that are ours at the moment: while they wait for Temporal, nobody else gets them. */
export class SqsUnderWay {
  readonly #parts: UnderWayParts;
  /** Handles, and until when each is ours. */
  readonly #until = new Map<string, number>();

  constructor(parts: UnderWayParts) {
    this.#parts = parts;
  }

  add(handle: string): void {
    this.#until.set(handle, Date.now() + this.#parts.visibilityMs);
  }

  remove(handle: string): void {
    this.#until.delete(handle);
  }

  /** Keeps them ours until the signal aborts. Never throws: one that is lost comes again. */
  async keep(signal: AbortSignal): Promise<void> {
    const { queue, contact, redaction, visibilityMs } = this.#parts;
    const everyMs = visibilityMs / TIMES;
    while (!signal.aborted) {
      await pause(everyMs, signal);
      const now = Date.now();
      const due = [...this.#until].filter(([, until]) => until - now < visibilityMs - everyMs / 2).map(([handle]) => handle);
      for (let from = 0; from < due.length && !signal.aborted; from += BATCH) {
        const batch = due.slice(from, from + BATCH).filter((handle) => this.#until.has(handle));
        if (batch.length === 0) continue;
        try {
          const failed = await queue.keep(batch);
          contact.answers();
          for (const handle of batch) if (!failed.has(handle) && this.#until.has(handle)) this.add(handle);
        } catch (error) {
          contact.lost(redaction.of(error));
        }
      }
    }
  }
}
