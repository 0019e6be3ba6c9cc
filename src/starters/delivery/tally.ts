/** How one message ended. */
export type Outcome =
  /** Temporal holds every announcement in it that a dataset is for. `granules`: workflows that know of it now. */
  | { readonly kind: "held"; readonly granules: number }
  /** No dataset of the source knows what it names. */
  | { readonly kind: "nothing-matches" }
  /** It announces nothing, and says so: a test event, a folder, a uri that the source rejects. */
  | { readonly kind: "passed-over" }
  | { readonly kind: "malformed"; readonly reason: string }
  /** Temporal or the ledger did not take it before we had to stop: it must come again. */
  | { readonly kind: "not-taken"; readonly reason: string };

/** Names that no dataset knew are kept for people to look at: the last ones only. */
const KEPT_NAMES = 100;
/** A uri may be 4 KB; the beginning and the end of it tell enough. */
const NAME_CHARACTERS = 300;
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
  #granules = 0;
  #unknownNames = 0;

  end(outcome: Outcome): void {
    this.#ends[outcome.kind]++;
    if (outcome.kind === "held") this.#granules += outcome.granules;
  }

  /** A name that no dataset of the source knows. Its query string may be a secret and is left out. */
  unknown(uri: string): void {
    this.#unknownNames++;
    this.#names.push(shortened(uri.replace(/[?#].*$/s, "").replace(/\/\/[^/@]*@/, "//")));
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

  /** What a line of the log shows: the counts, and the newest of the unknown names. */
  facts(): Counts & { readonly lastUnknown?: readonly string[] } {
    const shown = this.#names.slice(-SHOWN_NAMES);
    return { ...this.counts, ...(shown.length > 0 && { lastUnknown: shown }) };
  }
}

function shortened(name: string): string {
  if (name.length <= NAME_CHARACTERS) return name;
  const half = NAME_CHARACTERS / 2;
  return `${name.slice(0, half)}…${name.slice(-half)}`;
}
