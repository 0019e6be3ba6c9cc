import type { Log } from "./starter.ts";

/** Whether a server answers us: one line when it stops, one when it answers again, however many attempts lie between. */
export class Contact {
  readonly #what: string;
  readonly #remedy: string;
  readonly #log: Log;
  readonly #patienceMs: number;
  #lostMs: number | undefined;
  #isTold = false;

  /**
   * @param what begins a sentence: `the queue of sqs:ofs`
   * @param patienceMs how long all attempts must fail before it is said: a server with much to do lets one fail among others
   */
  constructor(what: string, remedy: string, log: Log, patienceMs = 0) {
    this.#what = what;
    this.#remedy = remedy;
    this.#log = log;
    this.#patienceMs = patienceMs;
  }

  /** Whether it has been said. */
  get isLost(): boolean {
    return this.#isTold;
  }

  /** An attempt failed. `why` is free of secrets. */
  lost(why: string): void {
    this.#lostMs ??= Date.now();
    if (this.#isTold || Date.now() - this.#lostMs < this.#patienceMs) return;
    this.#isTold = true;
    this.#log.warn({ why }, `${this.#what} does not answer: ${why}. Tried again until it does. ${this.#remedy}`);
  }

  /** An attempt succeeded. */
  answers(): void {
    if (this.#lostMs === undefined) return;
    const awayMs = Date.now() - this.#lostMs;
    this.#lostMs = undefined;
    if (!this.#isTold) return;
    this.#isTold = false;
    this.#log.info({ awayMs }, `${this.#what} answers again`);
  }
}
