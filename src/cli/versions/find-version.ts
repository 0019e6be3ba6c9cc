import type { Dataset, Product } from "../../dataset/index.ts";
import { FreshetError } from "../../errors/index.ts";
import type { Ledger, Publication } from "../../ledger/index.ts";

/** Publications among which one is looked for. */
const MOST_PUBLICATIONS = 1_000_000;

/** The publication that people name: `3`, `#3`, or the version's id. @throws FreshetError `usage` with those that there are. */
export async function findVersion(ledger: Ledger, dataset: Dataset, product: Product, named: string): Promise<Publication> {
  const known = await ledger.publications(dataset.name, product.name, MOST_PUBLICATIONS);
  const sequence = /^#?(\d+)$/.exec(named)?.[1];
  const found = known.find(
    (publication) => publication.snapshot === named || (sequence !== undefined && publication.sequence === Number(sequence)),
  );
  if (found !== undefined) return found;
  throw new FreshetError("usage", "the product has no such version", {
    found: named,
    expected: known.length === 0 ? "none is published" : `#${known.at(-1)?.sequence} to #${known[0]?.sequence}, or an id`,
    path: `${dataset.name}/${product.name}`,
    remedy: `List them: freshet versions ${dataset.name}`,
  });
}
