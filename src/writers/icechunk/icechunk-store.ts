import type { Repository, Session, Store, VirtualChunkSpec } from "@earthmover/icechunk";
import { FreshetError } from "../../errors/index.ts";
import { containersFor } from "./containers.ts";
import { folderStorage } from "./folder-storage.ts";
import { loadIcechunk } from "./load-binding.ts";
import type { ArrayChange, RowPatch, StoreChange, VirtualChunk } from "./store-change.ts";
import { storeError } from "./store-error.ts";

const MAIN = "main";
/** setVirtualRefs holds the event loop for about 2 µs a reference (reference: icechunk, section 2). */
const REFERENCES_PER_CALL = 10_000;
/** The default of 5 million lets a long-lived worker grow past 1 GB; 200 000 hold it near 350 MB (same section). */
const CACHED_REFERENCES = 200_000;

export interface StoreOptions {
  /** The folder of the repository. */
  readonly folder: string;
  /** Prefixes under which its virtual chunks may lie; see `containerPrefix`. */
  readonly prefixes: readonly string[];
  /** Dimension along which manifests are split, and chunks to a manifest: an append rewrites one such window, not all. */
  readonly split: { readonly dimension: string; readonly chunks: number };
}

/** A version as its commit tells. */
export interface StoreVersion {
  readonly id: string;
  readonly parent: string | undefined;
  /** Milliseconds since 1970. */
  readonly writtenMs: number;
  readonly message: string;
}

/**
 * One Icechunk repository with one published branch. Every change is flushed as a snapshot that nobody sees, may be looked
 * at, and becomes visible by moving `main` from the version it was made from: if that moved meanwhile, nothing happens.
 */
export class IcechunkStore {
  readonly #repository: Repository;
  readonly folder: string;

  private constructor(repository: Repository, folder: string) {
    this.#repository = repository;
    this.folder = folder;
  }

  /** Opens the repository. Answers undefined where there is none. */
  static async open(options: StoreOptions): Promise<IcechunkStore | undefined> {
    const { Repository } = loadIcechunk();
    const { authorization } = containersFor(options.prefixes);
    return guarded(options.folder, async () => {
      const storage = folderStorage(options.folder);
      if (!(await Repository.exists(storage))) return undefined;
      const config = { caching: { numChunkRefs: CACHED_REFERENCES } };
      return new IcechunkStore(await Repository.open(storage, config, authorization), options.folder);
    });
  }

  /** Opens the repository, or makes an empty one. */
  static async openOrCreate(options: StoreOptions): Promise<IcechunkStore> {
    const present = await IcechunkStore.open(options);
    if (present !== undefined) return present;
    const { Repository } = loadIcechunk();
    const { containers, authorization } = containersFor(options.prefixes);
    const config = {
      virtualChunkContainers: containers,
      caching: { numChunkRefs: CACHED_REFERENCES },
      manifest: {
        splitting: {
          split_sizes: [
            [
              { path_matches: { regex: ".*" } },
              [{ condition: { DimensionName: `^${escapeRegExp(options.split.dimension)}$` }, num_chunks: options.split.chunks }],
            ],
          ],
        },
      },
    };
    try {
      return await guarded(options.folder, async () => {
        const repository = await Repository.create(folderStorage(options.folder), config, undefined, authorization);
        return new IcechunkStore(repository, options.folder);
      });
    } catch (error) {
      // Another process may have made it between our look and our try.
      const made = await IcechunkStore.open(options).catch(() => undefined);
      if (made !== undefined) return made;
      throw error;
    }
  }

  /**
   * Opens a repository that is there, and lets it hold virtual chunks under `options.prefixes` from now on, and under no others:
   * whoever widens the list names the old ones too.
   */
  static async allow(options: StoreOptions): Promise<IcechunkStore> {
    const { Repository } = loadIcechunk();
    const { containers, authorization } = containersFor(options.prefixes);
    return guarded(options.folder, async () => {
      const config = { virtualChunkContainers: containers, caching: { numChunkRefs: CACHED_REFERENCES } };
      const repository = await Repository.open(folderStorage(options.folder), config, authorization);
      await repository.saveConfig();
      return new IcechunkStore(repository, options.folder);
    });
  }

  /** The published version. */
  head(): Promise<string> {
    return guarded(this.folder, () => this.#repository.lookupBranch(MAIN));
  }

  /** Published versions, newest first, at most `limit`; the empty one that a repository begins with is not among them. */
  async versions(limit: number): Promise<StoreVersion[]> {
    const ancestry = await guarded(this.folder, () => this.#repository.ancestry({ branch: MAIN }));
    return ancestry
      .filter((snapshot) => snapshot.parentId !== undefined && snapshot.parentId !== null)
      .slice(0, limit)
      .map(({ id, parentId, writtenAt, message }) => ({ id, parent: parentId, writtenMs: Date.parse(writtenAt), message }));
  }

  /** A version's keys and values, chunks included: zarrita reads it as it is. */
  async reader(version: string): Promise<Store> {
    return (await guarded(this.folder, () => this.#repository.readonlySession({ snapshotId: version }))).store;
  }

  /** The value of one key of a version; undefined where there is none. */
  async get(version: string, key: string): Promise<Uint8Array | undefined> {
    const store = await this.reader(version);
    return guarded(this.folder, async () => (await store.get(key)) ?? undefined);
  }

  /**
   * Writes a change on top of `parent` and answers the version that nobody sees yet.
   * @throws FreshetError `conflict` when `parent` is not the published version.
   */
  async stage(parent: string, change: StoreChange, message: string, tick: () => void = () => undefined): Promise<string> {
    return guarded(this.folder, async () => {
      const session = await this.#repository.writableSession(MAIN);
      if (session.snapshotId !== parent) {
        throw new FreshetError("conflict", "another version was published meanwhile", {
          found: session.snapshotId,
          expected: parent,
          uri: this.folder,
        });
      }
      await applyChange(session, change, tick);
      return session.flush(message);
    });
  }

  /**
   * Makes a staged version the published one, if `parent` still is. Publishing the same version again is no error.
   * @throws FreshetError `conflict`.
   */
  async publish(parent: string, version: string): Promise<void> {
    try {
      await this.#repository.resetBranch(MAIN, version, parent);
    } catch (error) {
      const failure = storeError(error, this.folder);
      if (failure.kind === "conflict" && (await this.head()) === version) return;
      throw failure;
    }
  }
}

async function applyChange(session: Session, change: StoreChange, tick: () => void): Promise<void> {
  const { store } = session;
  for (const { path, metadata } of change.groups) {
    await setIfOther(store, keyOf(path, "zarr.json"), metadata);
    tick();
  }
  for (const array of change.arrays) {
    await setIfOther(store, keyOf(array.path, "zarr.json"), array.metadata);
    for (const index of array.erase) {
      const key = chunkKey(array.path, index);
      if (await store.exists(key)) await store.delete(key);
    }
    await setVirtualChunks(store, array, tick);
    for (const { index, bytes } of array.native) await store.set(chunkKey(array.path, index), Buffer.from(bytes));
    if (array.patch !== undefined) await patchRows(store, array.path, array.patch);
    tick();
  }
}

async function setIfOther(store: Store, key: string, text: string): Promise<void> {
  const present = await store.get(key);
  const wanted = Buffer.from(text);
  if (present === null || !wanted.equals(present)) await store.set(key, wanted);
}

async function setVirtualChunks(store: Store, array: ArrayChange, tick: () => void): Promise<void> {
  for (let from = 0; from < array.virtual.length; from += REFERENCES_PER_CALL) {
    const batch = array.virtual.slice(from, from + REFERENCES_PER_CALL).map(specOf);
    const refused = await store.setVirtualRefs(array.path, batch, true);
    if (refused !== null && refused.length > 0) {
      const first = batch.find((chunk) => `${chunk.index}` === `${refused[0]}`);
      throw new FreshetError("source-refused", "a chunk lies outside the prefixes that the store may read", {
        found: first?.location ?? "an unknown place",
        path: array.path,
        remedy: "Name the source's prefix in the dataset file (at, allow)",
      });
    }
    tick();
  }
}

function specOf({ index, uri, offset, length, source }: VirtualChunk): VirtualChunkSpec {
  if (![...index, offset, length].every((value) => Number.isSafeInteger(value) && value >= 0) || length === 0) {
    throw new FreshetError("corrupt", "a reference is not a range", { found: `[${index}] ${offset}+${length}`, uri });
  }
  const reference = { index: [...index], location: uri, offset, length };
  // A source's own clock counts in whole seconds where it is read again: round up, or an unchanged file would look changed.
  if (source.lastModifiedMs !== undefined) {
    return { ...reference, lastModified: new Date(Math.ceil(source.lastModifiedMs / 1000) * 1000) };
  }
  return source.etag === undefined ? reference : { ...reference, etagChecksum: source.etag };
}

async function patchRows(store: Store, path: string, { rowsPerChunk, fill, rows, trailing }: RowPatch): Promise<void> {
  const byChunk = Map.groupBy(rows, ([row]) => Math.floor(row / rowsPerChunk));
  for (const [chunk, patches] of byChunk) {
    const key = chunkKey(path, [chunk, ...new Array<number>(trailing).fill(0)]);
    const present = await store.get(key);
    const bytes = Buffer.alloc(rowsPerChunk * fill.length);
    if (present !== null && present.length !== bytes.length) {
      throw new FreshetError("corrupt", "a stored chunk is not as long as its array says", {
        found: `${present.length} bytes`,
        expected: `${bytes.length} bytes`,
        path: key,
      });
    }
    if (present !== null) bytes.set(present);
    else for (let row = 0; row < rowsPerChunk; row++) bytes.set(fill, row * fill.length);
    for (const [row, value] of patches) bytes.set(value, (row % rowsPerChunk) * fill.length);
    await store.set(key, bytes);
  }
}

function keyOf(path: string, name: string): string {
  return path === "/" ? name : `${path.slice(1)}/${name}`;
}

function chunkKey(path: string, index: readonly number[]): string {
  return [path.slice(1), "c", ...index].join("/");
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

async function guarded<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // The binding throws nothing but plain errors: these are defects of ours, and trying again would not help.
    if (error instanceof TypeError || error instanceof RangeError) throw error;
    throw storeError(error, folder);
  }
}
