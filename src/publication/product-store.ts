import { fileURLToPath } from "node:url";
import type { Dataset, TimeseriesProduct } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import { readStoredState, type StoredState } from "../products/index.ts";
import { containerPrefix, decodeTexts, IcechunkStore, type StoreOptions } from "../writers/icechunk/index.ts";

/** A product's store at one moment: its published version and what it holds. */
export interface ProductState {
  readonly store: IcechunkStore;
  readonly head: string;
  /** Undefined while nothing is published. */
  readonly stored: StoredState | undefined;
}

/**
 * The stores of the products, opened once and kept. The state of a version never changes, so that of the newest one is kept
 * with it; the head is asked for every time.
 */
export class ProductStores {
  readonly #stores = new Map<string, Promise<IcechunkStore>>();
  readonly #states = new Map<string, { head: string; stored: StoredState | undefined }>();

  /** Opens the product's store, and makes it if need be. @throws FreshetError `storage`, `corrupt`. */
  async open(dataset: Dataset, product: TimeseriesProduct): Promise<ProductState> {
    const options = storeOptions(dataset, product);
    const cacheKey = JSON.stringify(options);
    let opening = this.#stores.get(cacheKey);
    if (opening === undefined) {
      opening = IcechunkStore.openOrCreate(options);
      this.#stores.set(cacheKey, opening);
      opening.catch(() => this.#stores.delete(cacheKey));
    }
    const store = await opening;
    const head = await store.head();
    const known = this.#states.get(options.folder);
    if (known?.head === head) return { store, head, stored: known.stored };
    const state = await readState(store, head, dataset, product);
    this.#states.set(options.folder, { head, stored: state });
    return { store, head, stored: state };
  }
}

/** The published state of a product, for those who only look. Undefined where there is no store, or nothing in it. */
export async function lookAtProduct(dataset: Dataset, product: TimeseriesProduct): Promise<Required<ProductState> | undefined> {
  const store = await IcechunkStore.open(storeOptions(dataset, product));
  if (store === undefined) return undefined;
  const head = await store.head();
  return { store, head, stored: await readState(store, head, dataset, product) };
}

/** Where a product's store is, and from where it may read virtual chunks. */
export function storeOptions(dataset: Dataset, product: TimeseriesProduct): StoreOptions {
  const { source } = dataset;
  const places = source.mirror === undefined ? [source.at, ...source.allow] : [source.mirror];
  return {
    folder: fileURLToPath(product.store),
    prefixes: [...new Set(places.map(containerPrefix))],
    split: { dimension: product.dimension, chunks: product.split },
  };
}

async function readState(
  store: IcechunkStore,
  head: string,
  dataset: Dataset,
  product: TimeseriesProduct,
): Promise<StoredState | undefined> {
  const reader = await store.reader(head);
  const stored = await readStoredState(async (key) => (await reader.get(key)) ?? undefined, decodeTexts);
  const owner = stored?.header;
  if (owner !== undefined && (owner.dataset.name !== dataset.name || owner.product !== product.name)) {
    throw new FreshetError("corrupt", "the store belongs to another product", {
      found: `${owner.dataset.name}/${owner.product}`,
      expected: `${dataset.name}/${product.name}`,
      uri: store.folder,
      remedy: "Give each product a store of its own",
    });
  }
  return stored;
}
