import { lookAtSources } from "../acquisition/index.ts";
import type { DatasetReference } from "../contract/index.ts";
import type { Dataset, Product } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import type { Ledger, Publication, Revision } from "../ledger/index.ts";
import { granulesIn } from "../products/index.ts";
import type { Tick } from "./turn.ts";
import { TurnMaker, type TurnParts } from "./turn-maker.ts";
import { TurnWriter } from "./turn-writer.ts";

/** Revisions to a page of the ledger. */
const PAGE = 2_000;
const MOST_PUBLICATIONS = 1_000_000;

/** The publication that readers saw at a moment (inclusive), milliseconds since 1970; undefined where there was none. */
export async function publicationAsOf(
  ledger: Ledger,
  dataset: string,
  product: string,
  atMs: number,
): Promise<Publication | undefined> {
  const known = await ledger.publications(dataset, product, MOST_PUBLICATIONS);
  return known.find((publication) => publication.atMs <= atMs);
}

/** A product as it was known at a moment, built anew. */
export interface BuiltAsOf {
  readonly version: string;
  readonly granules: number;
  /** Those that were published then and whose bytes are not at their source any more; they are gaps. */
  readonly gone: readonly string[];
}

/**
 * Builds a product from what the ledger had on record as published at a moment, in the views of the dataset file as it is now. Every source is
 * asked whether it still has the bytes: what it has not is left out and told. Neither the ledger nor the product's own store changes.
 * @param product one with another store, which nobody has written to.
 * @throws FreshetError `usage` where nothing was published then, or the store holds something.
 */
export async function buildAsOf(
  parts: TurnParts,
  of: { readonly reference: DatasetReference; readonly dataset: Dataset; readonly product: Product },
  atMs: number,
  { tick, signal }: { readonly tick: Tick; readonly signal: AbortSignal },
): Promise<BuiltAsOf> {
  const { reference, dataset, product } = of;
  const then = await publishedAsOf(parts.ledger, dataset.name, atMs, tick);
  const gone = dataset.source.mirror === undefined ? await goneOf(then, dataset, tick, signal) : new Set<Revision>();
  const standing = then.filter((revision) => !gone.has(revision));
  const publication = await publicationAsOf(parts.ledger, dataset.name, product.name, atMs);
  if (publication === undefined || standing.length === 0) {
    throw new FreshetError("usage", "nothing that can be read was published then", {
      found: `${then.length} granules, ${gone.size} of them gone`,
      expected: `a moment at which ${product.name} had a version`,
      remedy: `freshet versions ${dataset.name} --all`,
    });
  }
  const turn = await new TurnMaker(parts).alone(dataset, product, standing, publication.sequence);
  signal.throwIfAborted();
  const { staged } = await new TurnWriter(parts).prepare(reference, dataset, product, turn, (what) => {
    signal.throwIfAborted();
    tick(what);
  });
  if (staged === undefined) throw new FreshetError("corrupt", "a version was not written");
  await turn.state.store.publish(turn.plan.parent, staged.version);
  return { version: staged.version, granules: granulesIn(turn.wanted.epochs), gone: [...gone].map(({ key }) => key) };
}

/** What the ledger had on record as published, in the order in which it was. */
async function publishedAsOf(ledger: Ledger, dataset: string, atMs: number, tick: Tick): Promise<Revision[]> {
  const found: Revision[] = [];
  let afterKey: string | undefined;
  for (;;) {
    const page = await ledger.granules(dataset, { asOfMs: atMs, state: "published", limit: PAGE, afterKey });
    found.push(...page);
    tick(`reading the ledger: ${found.length} granules`);
    afterKey = page.at(-1)?.key;
    if (afterKey === undefined) return found.sort((a, b) => a.changedSeq - b.changedSeq);
  }
}

async function goneOf(
  revisions: readonly Revision[],
  { source }: Dataset,
  tick: Tick,
  signal: AbortSignal,
): Promise<ReadonlySet<Revision>> {
  const findings = await lookAtSources(revisions, source, { signal, onProgress: (done) => tick(`asking sources: ${done}`) });
  return new Set([...findings].flatMap(([revision, { kind }]) => (kind === "gone" || kind === "changed" ? [revision] : [])));
}
