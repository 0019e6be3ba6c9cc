import type { Ledger, Traffic, UnmatchedName } from "../ledger/index.ts";

const WRITE_EVERY_MS = 5_000;
/** Names that wait to be written; a source that sends more unknown ones at once repeats itself. */
const MOST_NAMES = 500;
/** A uri may be 4 KB; the beginning and the end of it tell enough. */
const NAME_CHARACTERS = 300;

type Counted = "matched" | "unmatched" | "passedOver" | "malformed";

/**
 * Counts what sources bring and keeps the names that no dataset knows, in memory, and writes it into the ledger every few seconds: an
 * announcement costs nothing, and what a process that dies had not written yet is not counted.
 */
export class TrafficBook {
  readonly #ledger: Ledger;
  readonly #traffic = new Map<string, Traffic>();
  readonly #names = new Map<string, UnmatchedName>();
  #timer: NodeJS.Timeout | undefined;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  count(source: string, via: string, what: Counted, number = 1): void {
    const id = `${source}\n${via}`;
    const before = this.#traffic.get(id) ?? { source, via, matched: 0, unmatched: 0, passedOver: 0, malformed: 0 };
    const now = Date.now();
    this.#traffic.set(id, {
      ...before,
      [what]: before[what] + number,
      ...(what === "matched" && { matchedMs: now }),
      ...(what === "unmatched" && { unmatchedMs: now }),
    });
    this.#timer ??= setTimeout(() => void this.write(), WRITE_EVERY_MS).unref();
  }

  /** A name that no dataset knows. */
  unmatched(source: string, via: string, uri: string, reason = "no dataset knows this name"): void {
    this.count(source, via, "unmatched");
    const name = shortName(uri);
    const id = `${source}\n${name}`;
    const now = Date.now();
    const before = this.#names.get(id);
    if (before === undefined && this.#names.size >= MOST_NAMES) return;
    const { firstMs = now, count = 0 } = before ?? {};
    this.#names.set(id, { source, name, via, reason, count: count + 1, firstMs, lastMs: now });
  }

  /** Writes what has been counted since the last time; what the ledger does not take waits for the next. Never throws. */
  async write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#traffic.size === 0) return;
    const [traffic, names] = [[...this.#traffic.values()], [...this.#names.values()]];
    this.#traffic.clear();
    this.#names.clear();
    try {
      await this.#ledger.noteTraffic(traffic, names);
    } catch {
      // Announcements tell of a ledger that is away; these counts wait for it.
      for (const { source, via, ...counts } of traffic)
        for (const what of ["matched", "unmatched", "passedOver", "malformed"] as const)
          if (counts[what] > 0) this.count(source, via, what, counts[what]);
      for (const name of names) if (this.#names.size < MOST_NAMES) this.#names.set(`${name.source}\n${name.name}`, name);
    }
  }
}

/** A uri as people may see it: its query string may be a secret, and what stands before an @ too. */
export function shortName(uri: string): string {
  const name = uri.replace(/[?#].*$/s, "").replace(/\/\/[^/@]*@/, "//");
  if (name.length <= NAME_CHARACTERS) return name;
  const half = NAME_CHARACTERS / 2;
  return `${name.slice(0, half)}…${name.slice(-half)}`;
}
