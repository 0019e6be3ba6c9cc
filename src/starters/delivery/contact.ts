import type { Log } from "./starter.ts";

/** Whether a server answers us: one line when it stops, one when it answers again, however many attempts lie between. */
export class Contact {
  readonly #what: string;
  readonly #remedy: string;
  readonly #log: Log;
  #lostMs: number | undefined;

  /** `what` begins a sentence: `the queue of sqs:ofs`. */
  constructor(what: string, remedy: string, log: Log) {
    this.#what = what;
    this.#remedy = remedy;
    this.#log = log;
  }

  get isLost(): boolean {
    return this.#lostMs !== undefined;
  }

  /** An attempt failed. `why` is free of secrets. */
  lost(why: string): void {
    if (this.#lostMs !== undefined) return;
    this.#lostMs = Date.now();
    this.#log.warn({ why }, `${this.#what} does not answer: ${why}. Tried again until it does. ${this.#remedy}`);
  }

  /** An attempt succeeded. */
  answers(): void {
    if (this.#lostMs === undefined) return;
    const awayMs = Date.now() - this.#lostMs;
    this.#lostMs = undefined;
    this.#log.info({ awayMs }, `${this.#what} answers again`);
  }
}
