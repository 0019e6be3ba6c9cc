import { FreshetError } from "../../errors/index.ts";
import type { Ledger, Revision } from "../../ledger/index.ts";

/** Granules of one page of the ledger. */
const PAGE = 1_000;

export interface Choice {
  readonly all?: boolean | undefined;
  /** Only those whose key or reason has this text, in any case. */
  readonly matching?: string | undefined;
}

/**
 * The revisions in quarantine that a command is about: of the granules named, or of all that match.
 * @throws FreshetError `usage` where a named one is not there, or neither granules nor `--all` are given, or both.
 */
export async function chooseGranules(
  ledger: Ledger,
  dataset: string,
  keys: readonly string[],
  { all = false, matching }: Choice,
): Promise<Revision[]> {
  if (keys.length > 0 === all || (matching !== undefined && !all)) {
    throw new FreshetError("usage", "it is not clear which granules are meant", {
      found: keys.length === 0 ? "neither granules nor --all" : "granules, and --all or --matching",
      expected: "granules by their keys, or --all, or --all --matching TEXT",
    });
  }
  if (!all) return Promise.all(keys.map((key) => waitingRevision(ledger, dataset, key)));
  const wanted = matching?.toLowerCase();
  const chosen: Revision[] = [];
  for await (const revision of waitingRevisions(ledger, dataset)) {
    const text = `${revision.key} ${revision.reason}`.toLowerCase();
    if (wanted === undefined || text.includes(wanted)) chosen.push(revision);
  }
  // Of a granule the last one is what its workflow waits with.
  return [...new Map(chosen.map((revision) => [revision.key, revision])).values()];
}

/** @throws FreshetError `usage` when the granule does not wait for a decision. */
export async function waitingRevision(ledger: Ledger, dataset: string, key: string): Promise<Revision> {
  const revisions = await ledger.revisionsOf(dataset, key);
  const waiting = revisions.findLast(({ state }) => state === "quarantined");
  if (waiting !== undefined) return waiting;
  throw new FreshetError("usage", "this granule is not in quarantine", {
    found: revisions.length === 0 ? `nobody has heard of ${dataset} ${key}` : `${dataset} ${key} is ${revisions.at(-1)?.state}`,
    remedy: "freshet quarantine list shows what is",
  });
}

async function* waitingRevisions(ledger: Ledger, dataset: string): AsyncGenerator<Revision> {
  let afterKey: string | undefined;
  for (;;) {
    const page = await ledger.granules(dataset, { state: "quarantined", limit: PAGE, afterKey });
    yield* page;
    afterKey = page.at(-1)?.key;
    if (afterKey === undefined) return;
  }
}
