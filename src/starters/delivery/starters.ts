import type { Client } from "@temporalio/client";
import { type Dataset, datasetOfText } from "../../dataset/index.ts";
import { FreshetError, isFreshetError } from "../../errors/index.ts";
import type { Ledger } from "../../ledger/index.ts";
import { Announcer } from "../announcer.ts";
import { pause } from "./back-off.ts";
import { Contact } from "./contact.ts";
import { makeStarter } from "./make-starter.ts";
import { KINDS, type Kind, type Plan, plansOf } from "./plans.ts";
import { queueShare } from "./queue-share.ts";
import type { Log } from "./starter.ts";
import type { Counts, Tally } from "./tally.ts";

/** How soon a dataset that is applied is listened to. */
const LOOK_EVERY_MS = 10_000;
const TELL_EVERY_MS = 60_000;
/** Whoever refused us is asked again: rights are given without a word to us. */
const REFUSED_MS = 60_000;

export interface StartersOptions {
  readonly client: Client;
  readonly ledger: Ledger;
  readonly log: Log;
  /** Default: all. */
  readonly kind?: Kind | undefined;
  /** Only queues of these sources. Default: of all. */
  readonly sources?: readonly string[] | undefined;
  /** Nothing else runs in this process: without a queue, or when all refuse us, it ends with the reason. */
  readonly isAlone?: boolean | undefined;
}

interface Running {
  readonly plan: Plan;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  tally?: Tally;
  refusal?: unknown;
}

/** The starters of everything that the applied datasets name, each queue once; datasets may be applied meanwhile. */
export class Starters {
  readonly #options: StartersOptions;
  readonly #announcer: Announcer;
  readonly #ledger: Contact;
  readonly #running = new Map<string, Running>();
  readonly #datasets = new Map<string, Dataset>();
  /** All have refused us, and nothing else is to be done. */
  readonly #hopeless = new AbortController();

  constructor(options: StartersOptions) {
    this.#options = options;
    this.#announcer = new Announcer(options.client, options.ledger);
    this.#ledger = new Contact("starters: the ledger", "Queues go on as they are", options.log);
  }

  /**
   * Works until the signal aborts, then finishes what is under way.
   * @throws FreshetError `usage` for a source that no applied dataset names, or has no queue; alone, also when there is none at all, and
   *   what the first queue said when all refuse us.
   */
  async run(signal: AbortSignal): Promise<void> {
    const share = await queueShare(this.#options.client);
    const first = await this.#plans(share);
    this.#refuseUnknown(first);
    const over = AbortSignal.any([signal, this.#hopeless.signal]);
    const telling = this.#tell(over);
    let plans: readonly Plan[] | undefined = first;
    while (!over.aborted) {
      if (plans !== undefined) await this.#match(this.#chosen(plans));
      await pause(LOOK_EVERY_MS, over);
      if (!over.aborted) plans = await this.#look(share);
    }
    await Promise.all([...this.#running.values()].map((running) => this.#end(running)));
    await telling;
    await this.#announcer.book.write();
    if (this.#hopeless.signal.aborted) throw this.#hopeless.signal.reason;
  }

  /** What each starter has done, by its name. */
  get counts(): ReadonlyMap<string, Counts> {
    return this.#ofEach((tally) => tally.counts);
  }

  /** The last names that no dataset of the source knew, by the starter's name; at most a hundred each, the newest last. */
  get unknownNames(): ReadonlyMap<string, readonly string[]> {
    return this.#ofEach((tally) => tally.unknownNames);
  }

  #ofEach<T>(of: (tally: Tally) => T): ReadonlyMap<string, T> {
    const known = [...this.#running.values()].filter(({ tally }) => tally !== undefined);
    return new Map(known.map(({ plan, tally }) => [plan.name, of(tally as Tally)]));
  }

  async #plans(share: string): Promise<Plan[]> {
    const stored = [...(await this.#options.ledger.datasets())].sort((a, b) => b.appliedMs - a.appliedMs);
    const datasets = stored.map(({ hash, text }) => {
      const dataset = this.#datasets.get(hash) ?? datasetOfText(text);
      this.#datasets.set(hash, dataset);
      return dataset;
    });
    return plansOf(datasets, share);
  }

  /** As `#plans`; undefined while the ledger is away. */
  async #look(share: string): Promise<Plan[] | undefined> {
    try {
      const plans = await this.#plans(share);
      this.#ledger.answers();
      return plans;
    } catch (error) {
      this.#ledger.lost((error as Error).message);
      return undefined;
    }
  }

  #chosen(plans: readonly Plan[]): Plan[] {
    const { kind, sources = [] } = this.#options;
    const isMeant = (plan: Plan): boolean => sources.length === 0 || plan.sources.some((source) => sources.includes(source));
    return plans.filter((plan) => (kind === undefined || plan.kind === kind) && isMeant(plan));
  }

  #refuseUnknown(plans: readonly Plan[]): void {
    const { kind, sources = [], isAlone = false } = this.#options;
    const ofKind = plans.filter((plan) => kind === undefined || plan.kind === kind);
    const known = [...new Set(ofKind.flatMap((plan) => plan.sources))].sort();
    const what = kind ?? KINDS.join(" or ");
    const unknown = sources.filter((source) => !known.includes(source));
    if (unknown.length === 0 && (known.length > 0 || !isAlone)) return;
    throw new FreshetError("usage", `no applied dataset has a source with ${what}`, {
      ...(unknown.length > 0 && { found: unknown.join(", ") }),
      ...(known.length > 0 && { expected: known.join(", ") }),
      remedy: `Declare sources.NAME.${kind ?? "sqs"} in a dataset file and apply it (docs/sources.md)`,
    });
  }

  /** Makes what runs match the plans. What has changed ends in order before its successor begins. */
  async #match(plans: readonly Plan[]): Promise<void> {
    const wanted = new Map(plans.map((plan) => [plan.key, plan]));
    const gone = [...this.#running.values()].filter(({ plan }) => !wanted.has(plan.key));
    await Promise.all(gone.map((running) => this.#end(running)));
    for (const plan of wanted.values()) if (!this.#running.has(plan.key)) this.#start(plan);
  }

  #start(plan: Plan): void {
    const stop = new AbortController();
    const running: Running = { plan, stop, ended: Promise.resolve().then(() => this.#keep(running)) };
    this.#running.set(plan.key, running);
  }

  async #end({ plan, stop, ended, tally }: Running): Promise<void> {
    stop.abort();
    await ended;
    this.#running.delete(plan.key);
    this.#options.log.info({ ...tally?.facts() }, `${plan.name}: stopped`);
  }

  /** Runs a starter until it is stopped. Never throws. */
  async #keep(running: Running): Promise<void> {
    const { plan, stop } = running;
    const { log } = this.#options;
    while (!stop.signal.aborted) {
      try {
        const { starter, tally } = await makeStarter(plan, this.#announcer, log);
        running.tally = tally;
        await starter.run(stop.signal);
      } catch (error) {
        running.refusal = error;
        if (this.#isHopeless()) return this.#hopeless.abort(error);
        const { message, stack } = error as Error;
        log.error(isFreshetError(error) ? {} : { stack }, `${plan.name}: ${message}. Tried again every minute`);
        await pause(REFUSED_MS, stop.signal);
        delete running.refusal;
      }
    }
  }

  #isHopeless(): boolean {
    return this.#options.isAlone === true && [...this.#running.values()].every(({ refusal }) => refusal !== undefined);
  }

  async #tell(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(TELL_EVERY_MS, signal);
      if (signal.aborted) return;
      for (const { plan, tally, refusal } of this.#running.values()) {
        const state = refusal === undefined ? "" : ", refused";
        if (tally !== undefined)
          this.#options.log.info(tally.facts(), `${plan.name}: ${tally.counts.messages} messages so far${state}`);
      }
    }
  }
}
