import type { Announcement } from "../../contract/index.ts";
import type { Source } from "../../dataset/index.ts";
import { type Message, readEnvelope, type Told } from "../../envelopes/index.ts";
import { isFreshetError } from "../../errors/index.ts";
import { reached } from "../../steps/index.ts";
import type { Announcer } from "../announcer.ts";
import { BackOff } from "./back-off.ts";
import { Contact } from "./contact.ts";
import type { Log } from "./starter.ts";
import { type Outcome, Tally } from "./tally.ts";

/** Temporal is near; when it is back, what waits for it should not wait much longer. */
const AGAIN = { firstMs: 500, mostMs: 10_000 };
/** An attempt gets five seconds, so that two in a row fail before it is said. */
const PATIENCE_MS = 6_000;

export interface IntakeOptions {
  readonly announcer: Announcer;
  /** The starter's name, for the log. */
  readonly name: string;
  /** How announcements come: `sqs` makes `by` `sqs:SOURCE`. */
  readonly via: string;
  /** Whether what comes this way, and has that uri, is for the datasets of a source. */
  readonly serves: (source: Source, uri: string) => Promise<boolean>;
  /** Whether anybody wants to hear of that uri; what nobody does is passed over. Default: all is wanted. */
  readonly wants?: (uri: string) => boolean;
  readonly log: Log;
}

/** What all starters do with a message: read it, announce what it says to the datasets of the source, and answer how it ended. */
export class Intake {
  readonly tally = new Tally();
  readonly #options: IntakeOptions;
  readonly #temporal: Contact;

  constructor(options: IntakeOptions) {
    this.#options = options;
    const remedy = "Messages stay where they are until then: see that the server and the ledger run";
    this.#temporal = new Contact(`${options.name}: Temporal, or the ledger,`, remedy, options.log, PATIENCE_MS);
  }

  /**
   * Resolves when Temporal holds all that the message announces, or when there is nothing to hold. While Temporal or the ledger is
   * away it is tried again, until the signal aborts: only then the outcome is `not-taken`. Never throws.
   */
  async take(message: Message, signal: AbortSignal): Promise<Outcome> {
    const backOff = new BackOff(AGAIN);
    const heardMs = Date.now();
    for (;;) {
      const outcome = await this.#try(message, heardMs);
      if (outcome.kind === "not-taken") {
        this.#temporal.lost(outcome.reason);
        await backOff.wait(signal);
        if (!signal.aborted) continue;
      } else if (outcome.kind === "held") this.#temporal.answers();
      this.tally.end(outcome);
      return outcome;
    }
  }

  async #try(message: Message, heardMs: number): Promise<Outcome> {
    const reading = readEnvelope(message);
    if (reading.kind === "malformed") return reading;
    try {
      return await this.#announce(reading.told, heardMs);
    } catch (error) {
      // Whatever it is: what was read can be announced, so it is not the message's fault.
      return { kind: "not-taken", reason: isFreshetError(error) ? error.message : reasonOf(error) };
    }
  }

  async #announce(told: readonly Told[], heardMs: number): Promise<Outcome> {
    const { announcer, via, serves, wants } = this.#options;
    let granules = 0;
    const unknown: string[] = [];
    for (const one of told) {
      if (wants?.(one.uri) === false) continue;
      const known = await announcer.routes(one.uri);
      const isServed = await Promise.all(known.map(({ dataset }) => serves(dataset.source, one.uri)));
      const routes = known.filter((_, index) => isServed[index]);
      if (routes.length === 0) unknown.push(one.uri);
      for (const { dataset } of routes) {
        const announcement: Announcement = { ...one, by: `${via}:${dataset.source.name}`, heardMs };
        granules += (await announcer.announce(announcement, { only: dataset.name })).length;
        reached("announce: held");
      }
    }
    // Counted when the message has come to its end: an attempt that is made again must not count them twice.
    for (const uri of unknown) this.tally.unknown(uri);
    if (granules > 0) return { kind: "held", granules };
    return unknown.length > 0 ? { kind: "nothing-matches" } : { kind: "passed-over" };
  }
}

/** The innermost reason in one line: the SDK's own sentence says only that something failed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const detail = (error as { details?: unknown }).details;
  if (typeof detail === "string" && detail !== "") return detail;
  return cause instanceof Error ? reasonOf(cause) : (error.message.split("\n")[0] ?? error.name);
}
