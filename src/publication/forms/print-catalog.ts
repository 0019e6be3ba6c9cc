import { stacCollection, stacItem, xredsEntries } from "../../catalog/index.ts";
import type { Dataset, Product } from "../../dataset/index.ts";
import { lookAtProduct } from "../product-store.ts";
import { catalogFacts } from "./catalog-facts.ts";

/** What a catalogue would say of the version that a product shows now. */
export interface CatalogEntries {
  readonly item: Readonly<Record<string, unknown>>;
  readonly collection: Readonly<Record<string, unknown>>;
  readonly xreds: Readonly<Record<string, unknown>>;
}

/** Made from the store, whether the dataset file has a catalogue or not; nothing is written. Undefined while nothing is published. */
export async function catalogEntries(dataset: Dataset, product: Product): Promise<CatalogEntries | undefined> {
  const state = await lookAtProduct(dataset, product);
  if (state?.stored === undefined) return undefined;
  const about = dataset.catalog?.about ?? { license: "other" };
  const facts = await catalogFacts({ dataset, product, about, state, stored: state.stored, previousItem: undefined });
  const item = stacItem(facts);
  return { item, collection: stacCollection(item, "item.json", { about }), xreds: xredsEntries(facts, Date.now()) };
}
