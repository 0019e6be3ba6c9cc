import type { Dataset } from "../dataset/index.ts";
import { type Ledger, type Member, REVISION_STATES, type Revision } from "../ledger/index.ts";

/** Keys to a page of the ledger. */
const PAGE = 1_000;
/** Of two revisions of a granule at most one is published, so every granule that has two has one in these states. */
const OTHERS = REVISION_STATES.filter((state) => state !== "published");

/** Revisions whose bytes are not where references point any more, by what the ledger knows. */
export class StaleSources {
  readonly #reasons: ReadonlyMap<string, string>;

  private constructor(reasons: ReadonlyMap<string, string>) {
    this.#reasons = reasons;
  }

  /**
   * What sweeps have seen, and, where a source is read in place, revisions whose place another one of the granule has taken. Costs
   * what the ledger has of revisions that are not published.
   */
  static async of(ledger: Ledger, dataset: Dataset): Promise<StaleSources> {
    const reasons = new Map<string, string>();
    if (dataset.source.mirror === undefined) {
      for (const key of await keysOfOthers(ledger, dataset.name)) {
        for (const revision of outdated(await ledger.revisionsOf(dataset.name, key)))
          reasons.set(idOf(revision), "replaced in place");
      }
    }
    for (const missing of await ledger.missingSources(dataset.name)) {
      const since = new Date(missing.sinceMs).toISOString().slice(0, 16);
      reasons.set(idOf(missing), `${missing.state} since ${since}Z: ${missing.found}`);
    }
    return new StaleSources(reasons);
  }

  /** Why the bytes are not there; undefined where nothing is known against them. */
  why(revision: Member): string | undefined {
    return this.#reasons.get(idOf(revision));
  }

  /** How many of these are stale. */
  count(rows: Iterable<Member>): number {
    if (this.#reasons.size === 0) return 0;
    let stale = 0;
    for (const row of rows) if (this.why(row) !== undefined) stale++;
    return stale;
  }
}

async function keysOfOthers(ledger: Ledger, dataset: string): Promise<Set<string>> {
  const keys = new Set<string>();
  for (const state of OTHERS) {
    let afterKey: string | undefined;
    for (;;) {
      const page = await ledger.granules(dataset, { state, limit: PAGE, afterKey });
      for (const { key } of page) keys.add(key);
      afterKey = page.at(-1)?.key;
      if (afterKey === undefined) break;
    }
  }
  return keys;
}

/** Of each place all revisions but the one that is there now: the last heard of, unless an earlier one was taken up again. */
function outdated(revisions: readonly Revision[]): Revision[] {
  // Without a size its bytes never came.
  const seen = revisions.filter(({ uri, size }) => uri !== undefined && size !== undefined);
  return [...Map.groupBy(seen, ({ uri }) => uri).values()].flatMap((found) => {
    const last = found.at(-1);
    const isBack = ({ state }: Revision): boolean => state === "published" || state === "ready" || state === "heard";
    const current = last?.state === "superseded" ? (found.findLast(isBack) ?? last) : last;
    return found.filter((revision) => revision !== current);
  });
}

function idOf({ key, identity }: Member): string {
  return `${key}\n${identity}`;
}
