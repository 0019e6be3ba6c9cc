import { createHash } from "node:crypto";

/** Senders that repeat themselves do so within minutes. */
const KEPT_MS = 10 * 60_000;
/** Some 30 000 answers of one announcement; where there are more, the oldest are forgotten, and said again is announced again. */
const KEPT_CHARACTERS = 16 * 1024 * 1024;
/** What an entry takes beside its answer, roughly. */
const ENTRY_CHARACTERS = 256;

export interface Answer {
  readonly status: number;
  readonly body: object;
}

interface Entry {
  readonly fingerprint: string;
  readonly untilMs: number;
  readonly answer: Promise<Answer>;
  characters: number;
}

/** Answers by idempotency key: the same request within ten minutes has the same answer, and is not carried out again. Bounded. */
export class Answers {
  /** The oldest first: entries are never renewed. */
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;
  #characters = 0;

  /** @param now milliseconds, monotonic. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * The answer kept under the key, or that of `make`; `other` when the key was used for something else. A request that comes while
   * the first is under way waits for its answer. Answers of 500 and more are not kept: the sender shall try again.
   * @param said everything in the request that its answer depends on.
   */
  async once(key: string, said: readonly (string | Uint8Array)[], make: () => Promise<Answer>): Promise<Answer | "other"> {
    this.#forget();
    const fingerprint = fingerprintOf(said);
    const known = this.#entries.get(key);
    if (known !== undefined) return known.fingerprint === fingerprint ? known.answer : "other";
    const entry: Entry = {
      fingerprint,
      untilMs: this.#now() + KEPT_MS,
      answer: make(),
      characters: key.length + ENTRY_CHARACTERS,
    };
    this.#entries.set(key, entry);
    this.#characters += entry.characters;
    try {
      const answer = await entry.answer;
      if (answer.status >= 500) this.#drop(key, entry);
      else this.#weigh(key, entry, JSON.stringify(answer.body).length);
      return answer;
    } catch (error) {
      this.#drop(key, entry);
      throw error;
    }
  }

  #weigh(key: string, entry: Entry, characters: number): void {
    if (this.#entries.get(key) !== entry) return;
    entry.characters += characters;
    this.#characters += characters;
    this.#forget();
  }

  #forget(): void {
    for (const [key, entry] of this.#entries) {
      if (entry.untilMs > this.#now() && this.#characters <= KEPT_CHARACTERS) return;
      this.#drop(key, entry);
    }
  }

  #drop(key: string, entry: Entry): void {
    if (this.#entries.get(key) !== entry) return;
    this.#entries.delete(key);
    this.#characters -= entry.characters;
  }
}

function fingerprintOf(said: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of said) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex");
}
