import { type Dataset, datasetOfText, type Product } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import type { Ledger } from "../ledger/index.ts";

/** The dataset file in force of a name, with its hash. @throws FreshetError `usage` naming those that there are. */
export async function appliedDataset(
  ledger: Ledger,
  name: string,
): Promise<{ readonly dataset: Dataset; readonly hash: string }> {
  const stored = await ledger.currentDataset(name);
  if (stored !== undefined) return { dataset: datasetOfText(stored.text), hash: stored.hash };
  const known = (await ledger.datasets()).map((dataset) => dataset.name).join(", ");
  throw new FreshetError("usage", "no such dataset is applied", {
    found: name,
    expected: known === "" ? "one that is applied (none is)" : known,
  });
}

/** The products of a dataset, or the one that is named. @throws FreshetError `usage` where there is none of that name. */
export function namedProducts(dataset: Dataset, name: string | undefined): readonly Product[] {
  if (name === undefined) return dataset.products;
  const product = dataset.products.find((candidate) => candidate.name === name);
  if (product !== undefined) return [product];
  throw productError(dataset, `no product ${name}`);
}

/** The product that is named, or the only one. @throws FreshetError `usage` where it is not clear which is meant. */
export function oneProduct(dataset: Dataset, name: string | undefined): Product {
  const [product, ...others] = namedProducts(dataset, name);
  if (product !== undefined && others.length === 0) return product;
  throw productError(dataset, "several products");
}

function productError({ name, products }: Dataset, found: string): FreshetError {
  return new FreshetError("usage", "it is not clear which product is meant", {
    found,
    expected: `--product with one of ${products.map((product) => product.name).join(", ")}`,
    path: name,
  });
}
