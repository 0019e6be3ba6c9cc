import { recordOf } from "../../acquisition/index.ts";
import type { Announcement } from "../../contract/index.ts";
import type { Source } from "../../dataset/index.ts";
import { type Message, readEnvelope, type Told } from "../../envelopes/index.ts";
import { isFreshetError } from "../../errors/index.ts";
import { reached } from "../../steps/index.ts";
import { announceRecord, withoutDeletedRecords } from "../announce-record.ts";
import type { Announcer } from "../announcer.ts";
import { inOrder } from "../in-order.ts";
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
  /** Whether what comes this way is for a source. */
  readonly isOf: (source: Source) => Promise<boolean>;
  /** The sources that it is for, by name, divided by commas. */
  readonly sources: string;
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
      const outcome = await this.#try(message, heardMs, signal);
      if (outcome.kind === "not-taken") {
        this.#temporal.lost(outcome.reason);
        await backOff.wait(signal);
        if (!signal.aborted) continue;
      } else if (outcome.kind === "held") this.#temporal.answers();
      this.tally.end(outcome);
      this.#note(outcome);
      return outcome;
    }
  }

  async #try(message: Message, heardMs: number, signal: AbortSignal): Promise<Outcome> {
    try {
      const flat = await this.#options.announcer.messageRules(this.#options.isOf);
      const reading = readEnvelope(message, { flat });
      if (reading.kind === "malformed") return reading;
      return await this.#announce(reading.told, reading.passedOver, heardMs, signal);
    } catch (error) {
      // A record that CMR does not have, or not for us: to ask again would change nothing.
      if (isFreshetError(error, "source-missing", "source-refused")) return { kind: "malformed", reason: error.message };
      // Whatever it is: what was read can be announced, so it is not the message's fault.
      return { kind: "not-taken", reason: isFreshetError(error) ? error.message : reasonOf(error) };
    }
  }

  async #announce(told: readonly Told[], passed: readonly string[], heardMs: number, signal: AbortSignal): Promise<Outcome> {
    const { announcer, via, serves, wants } = this.#options;
    const present = withoutDeletedRecords(told);
    const passedOver = [...passed, ...present.passedOver];
    const wanted = present.told.filter((one) => wants?.(one.uri) !== false);
    const announced = await inOrder(
      wanted,
      ({ uri, only }) => `${uri}\n${only ?? ""}`,
      async ({ only, ...one }) => {
        const record = recordOf(one.uri);
        if (record !== undefined) {
          const by = ({ name }: Source): string => `${via}:${name}`;
          return { uri: one.uri, granules: (await announceRecord(announcer, record, { heardMs, signal, by, serves })).length };
        }
        let granules = 0;
        for (const { dataset } of await announcer.routes(one.uri, only, one.fields)) {
          if (!(await serves(dataset.source, one.uri))) continue;
          const announcement: Announcement = { ...one, by: `${via}:${dataset.source.name}`, heardMs };
          granules += (await announcer.announce(announcement, { only: dataset.name })).length;
          reached("announce: held");
        }
        return { uri: one.uri, granules };
      },
    );
    const ends = [...announced.values()];
    const granules = ends.reduce((sum, end) => sum + end.granules, 0);
    const unknown = ends.filter((end) => end.granules === 0).map(({ uri }) => uri);
    if (granules > 0) return { kind: "held", granules, unknown, passedOver };
    return unknown.length > 0 ? { kind: "nothing-matches", unknown, passedOver } : { kind: "passed-over", passedOver };
  }

  /** Counted when the message has come to its end: an attempt that is made again must not count twice. */
  #note(outcome: Outcome): void {
    const { sources, via, announcer } = this.#options;
    const { book } = announcer;
    if (outcome.kind === "malformed") book.count(sources, via, "malformed");
    if (outcome.kind === "held") book.count(sources, via, "matched", outcome.granules);
    if ("unknown" in outcome) for (const uri of outcome.unknown) book.unmatched(sources, via, uri);
    if ("passedOver" in outcome && outcome.passedOver.length > 0)
      book.count(sources, via, "passedOver", outcome.passedOver.length);
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
