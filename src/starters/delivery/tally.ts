import { shortName } from "../traffic-book.ts";

/** What of a message was not announced. */
interface Parts {
  /** Uris that no dataset of the source knows. */
  readonly unknown: readonly string[];
  /** Why parts of it are no announcements. */
  readonly passedOver: readonly string[];
}

/** How one message ended. */
export type Outcome =
  /** Temporal holds every announcement in it that a dataset is for. `granules`: workflows that know of it now. */
  | (Parts & { readonly kind: "held"; readonly granules: number })
  /** No dataset of the source knows what it names. */
  | (Parts & { readonly kind: "nothing-matches" })
  /** It announces nothing, and says so: a test event, a folder, a uri that the source rejects. */
  | ({ readonly kind: "passed-over" } & Pick<Parts, "passedOver">)
  | { readonly kind: "malformed"; readonly reason: string }
  /** Temporal or the ledger did not take it before we had to stop: it must come again. */
  | { readonly kind: "not-taken"; readonly reason: string };

/** Names that no dataset knew are kept for people to look at: the last ones only. */
const KEPT_NAMES = 100;
const KEPT_REASONS = 20;
const SHOWN_NAMES = 3;

/** What a starter has done since it began. */
export interface Counts {
  /** Messages that have come to an end: the sum of those below. One that is redelivered counts again. */
  readonly messages: number;
  readonly held: number;
  readonly nothingMatches: number;
  readonly passedOver: number;
  readonly malformed: number;
  readonly notTaken: number;
  /** Granule workflows that were told; one message may tell several. */
  readonly granules: number;
  /** Names in messages that no dataset of the source knows, counted by name and not by message. */
  readonly unknownNames: number;
}

/** Counts of one starter, and the last names that nobody knew. */
export class Tally {
  readonly #ends = { held: 0, "nothing-matches": 0, "passed-over": 0, malformed: 0, "not-taken": 0 };
  readonly #names: string[] = [];
  readonly #reasons: string[] = [];
  #granules = 0;
  #unknownNames = 0;

  end(outcome: Outcome): void {
    this.#ends[outcome.kind]++;
    if (outcome.kind === "held") this.#granules += outcome.granules;
    if ("unknown" in outcome) for (const uri of outcome.unknown) this.#unknown(uri);
    if ("passedOver" in outcome) {
      this.#reasons.push(...outcome.passedOver);
      this.#reasons.splice(0, this.#reasons.length - KEPT_REASONS);
    }
  }

  /** A name that no dataset of the source knows. Its query string may be a secret and is left out. */
  #unknown(uri: string): void {
    this.#unknownNames++;
    this.#names.push(shortName(uri));
    if (this.#names.length > KEPT_NAMES) this.#names.shift();
  }

  get counts(): Counts {
    const { held, malformed, "nothing-matches": nothingMatches, "passed-over": passedOver, "not-taken": notTaken } = this.#ends;
    const messages = held + nothingMatches + passedOver + malformed + notTaken;
    const [granules, unknownNames] = [this.#granules, this.#unknownNames];
    return { messages, held, nothingMatches, passedOver, malformed, notTaken, granules, unknownNames };
  }

  /** The last names that no dataset knew, at most a hundred, the newest last. */
  get unknownNames(): readonly string[] {
    return [...this.#names];
  }

  /** What a line of the log shows: the counts, the newest of the unknown names, and why parts were passed over. */
  facts(): Counts & { readonly lastUnknown?: readonly string[]; readonly lastPassedOver?: readonly string[] } {
    const names = this.#names.slice(-SHOWN_NAMES);
    const reasons = this.#reasons.slice(-SHOWN_NAMES);
    return {
      ...this.counts,
      ...(names.length > 0 && { lastUnknown: names }),
      ...(reasons.length > 0 && { lastPassedOver: reasons }),
    };
  }
}
