import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { keysFor, referenceConnectionOf } from "../acquisition/index.ts";
import type { Dataset, Product } from "../dataset/index.ts";
import { FreshetError, isFreshetError } from "../errors/index.ts";
import { readStoredState, runSplit, type StoredState } from "../products/index.ts";
import type { S3Connection, S3Keys } from "../storage/index.ts";
import { containerPrefix, decodeTexts, IcechunkStore, type StoreOptions } from "../writers/icechunk/index.ts";

/** A product's store at one moment: its published version and what it holds. */
export interface ProductState {
  readonly store: IcechunkStore;
  readonly head: string;
  /** Undefined while nothing is published. */
  readonly stored: StoredState | undefined;
  /** Where its references may point. */
  readonly prefixes: readonly string[];
  /** How those of `s3:` are reached; undefined where there are none, or nothing is said of it. */
  readonly s3: S3Connection | undefined;
}

/** A store that is open, and what its newest version held when it was looked at last. */
interface OpenStore {
  /** The keys of S3 that it was opened with: with others it has to be opened again. */
  readonly keys: StoreOptions["keys"];
  readonly store: IcechunkStore;
  readonly prefixes: readonly string[];
  readonly s3: S3Connection | undefined;
  head?: string;
  stored?: StoredState | undefined;
}

/**
 * The stores of the products, opened once and kept. The state of a version never changes, so that of the newest one is kept
 * with it; the head is asked for every time.
 */
export class ProductStores {
  readonly #stores = new Map<string, Promise<OpenStore>>();

  /** Opens the product's store, and makes it if need be. @throws FreshetError `storage`, `corrupt`. */
  async open(dataset: Dataset, product: Product): Promise<ProductState> {
    const open = await this.#opened(dataset, product);
    const { store, prefixes, s3 } = open;
    const head = await store.head();
    const stored = open.head === head ? open.stored : await readState(store, head);
    requireOwner(stored, store, dataset, product);
    Object.assign(open, { head, stored });
    return { store, head, stored, prefixes, s3 };
  }

  /** The product's newest version is this one now, and holds this: nobody needs to read it. */
  async advance(dataset: Dataset, product: Product, head: string, stored: StoredState): Promise<void> {
    for (const { layout } of stored.epochs) layout.settle();
    Object.assign(await this.#opened(dataset, product), { head, stored });
  }

  async #opened(dataset: Dataset, product: Product): Promise<OpenStore> {
    const lasting = await storeOptions(dataset, product);
    const keys = await keysOf(dataset.source);
    const options = { ...lasting, keys };
    const cacheKey = JSON.stringify(lasting);
    const known = this.#stores.get(cacheKey);
    if (known !== undefined && isDeepStrictEqual((await known).keys, keys)) return known;
    const opening = openAllowing(options, dataset, product);
    this.#stores.set(cacheKey, opening);
    opening.catch(() => this.#stores.delete(cacheKey));
    return opening;
  }
}

/** The store, with leave to point wherever it pointed before and wherever the dataset file says now, and in the way that it says now. */
async function openAllowing(options: StoreOptions, dataset: Dataset, product: Product): Promise<OpenStore> {
  const store = await IcechunkStore.openOrCreate(options);
  const stored = await readState(store, await store.head());
  requireOwner(stored, store, dataset, product);
  const before = stored?.header.prefixes ?? [];
  const prefixes = [...new Set([...before, ...options.prefixes])];
  const s3 = reachOf(prefixes, options);
  const isReached = isDeepStrictEqual(stored?.header.s3, s3);
  if (isReached && prefixes.length === before.length && before.length === options.prefixes.length)
    return { store, prefixes, s3, keys: options.keys };
  return { store: await IcechunkStore.allow({ ...options, prefixes }), prefixes, s3, keys: options.keys };
}

/**
 * The published state of a product, for those who only look. Undefined where there is no store, or nothing in it.
 * @param isForChunks the bytes that references point at are to be read too: keys for them are asked for.
 */
export async function lookAtProduct(
  dataset: Dataset,
  product: Product,
  { isForChunks = false }: { readonly isForChunks?: boolean } = {},
): Promise<ProductState | undefined> {
  const keys = isForChunks ? await keysOf(dataset.source) : undefined;
  const options: StoreOptions = { ...(await storeOptions(dataset, product)), keys };
  const store = await IcechunkStore.open(options);
  if (store === undefined) return undefined;
  const head = await store.head();
  const stored = await readState(store, head);
  requireOwner(stored, store, dataset, product);
  const prefixes = [...new Set([...(stored?.header.prefixes ?? []), ...options.prefixes])];
  const s3 = reachOf(prefixes, options);
  if (prefixes.length === options.prefixes.length) return { store, head, stored, prefixes, s3 };
  // Sources that it had once: a reader has to be authorized for these too.
  return { store: (await IcechunkStore.open({ ...options, prefixes })) ?? store, head, stored, prefixes, s3 };
}

/** Where the product is kept, and where its references may point by the dataset file as it is now. */
async function storeOptions(dataset: Dataset, product: Product): Promise<StoreOptions> {
  const { source } = dataset;
  const places = source.mirror === undefined ? [source.at, ...source.allow] : [source.mirror];
  return {
    folder: fileURLToPath(product.store),
    prefixes: [...new Set(places.map(containerPrefix))],
    s3: await referenceConnectionOf(source),
    split: { dimension: product.dimension, chunks: product.split },
    alsoSplit: product.kind === "forecast" ? [runSplit(product)] : undefined,
  };
}

/** By prefix, what our own reads of references are signed with; undefined where that is in the environment. */
async function keysOf(source: Dataset["source"]): Promise<StoreOptions["keys"]> {
  if (source.mirror !== undefined) return undefined;
  const keys: Record<string, S3Keys> = {};
  for (const place of [source.at, ...source.allow]) {
    const given = await keysFor(source, place)?.keys();
    if (given !== undefined) keys[containerPrefix(place)] = given;
  }
  return Object.keys(keys).length === 0 ? undefined : keys;
}

/** How the references to S3 among these are reached; undefined where there are none. */
function reachOf(prefixes: readonly string[], { s3 }: StoreOptions): S3Connection | undefined {
  return prefixes.some((prefix) => prefix.startsWith("s3:")) ? s3 : undefined;
}

/** What a version holds. @throws FreshetError `corrupt` for one that Freshet did not write. */
export async function readState(store: IcechunkStore, version: string): Promise<StoredState | undefined> {
  const reader = await store.reader(version);
  try {
    return await readStoredState(async (key) => (await reader.get(key)) ?? undefined, decodeTexts);
  } catch (error) {
    throw isFreshetError(error) ? error.at({ uri: store.folder }) : error;
  }
}

function requireOwner(stored: StoredState | undefined, store: IcechunkStore, dataset: Dataset, product: Product): void {
  const owner = stored?.header;
  if (owner !== undefined && (owner.dataset.name !== dataset.name || owner.product !== product.name)) {
    throw new FreshetError("corrupt", "the store belongs to another product", {
      found: `${owner.dataset.name}/${owner.product}`,
      expected: `${dataset.name}/${product.name}`,
      uri: store.folder,
      remedy: "Give each product a store of its own",
    });
  }
}
