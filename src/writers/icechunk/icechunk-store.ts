import type { Repository, RepositoryConfig, Session, SnapshotInfo, Store } from "@earthmover/icechunk";
import { FreshetError, isFreshetError } from "../../errors/index.ts";
import { reached } from "../../steps/index.ts";
import { makeFolder, type S3Connection, type S3Keys } from "../../storage/index.ts";
import { applyChange } from "./apply-change.ts";
import { candidateBranch, removeCandidateBranch } from "./candidate-branch.ts";
import { containersFor } from "./containers.ts";
import { folderStorage } from "./folder-storage.ts";
import { loadIcechunk } from "./load-binding.ts";
import type { StoreChange } from "./store-change.ts";
import { storeError } from "./store-error.ts";
import { StoreFolder } from "./store-folder.ts";
import { partMessage, requireVersionMessage, type StoreVersion, versionsAmong } from "./stored-versions.ts";
import { sweptUntil } from "./sweep-mark.ts";
import { type UpkeepOptions, type UpkeepReport, upkeep } from "./upkeep.ts";

const MAIN = "main";
/** The default of 5 million lets a long-lived worker grow past 1 GB; 200 000 hold it near 350 MB (reference: icechunk, section 2). */
const CACHED_REFERENCES = 200_000;
/** Chunks up to this long stand in the manifest, which an append writes anew; Icechunk's own default. */
const INLINE_BYTES = 512;
/** Pages of a stored layout to a manifest: an append writes 2 KB of them at most, whatever the layout's length. */
const PAGES_PER_MANIFEST = 64;
/**
 * Icechunk would look through the arrays at the first read of a version for manifests to fetch ahead; with 1000 manifests that takes
 * 0.6 s, a hundred times what fetching the one that is asked for takes.
 */
const NO_PRELOAD = { max_total_refs: 0, max_arrays_to_scan: 0 };
/** Publications that are staged and not published, of which the beginning is remembered. */
const REMEMBERED_STAGES = 100;

export interface StoreOptions {
  /** The folder of the repository. */
  readonly folder: string;
  /** Prefixes under which its virtual chunks may lie; see `containerPrefix`. */
  readonly prefixes: readonly string[];
  /** How those of `s3:` are reached. Default: AWS in us-east-1, with the credentials of the environment. */
  readonly s3?: S3Connection | undefined;
  /** Keys of S3 by prefix, where they are not the environment's. They never go into the store. */
  readonly keys?: Readonly<Record<string, S3Keys>> | undefined;
  /** Dimension along which manifests are split, and chunks to a manifest: an append rewrites one such window, not all. */
  readonly split: ManifestSplit;
  /** More such dimensions: arrays that have one of these are split along it. */
  readonly alsoSplit?: readonly ManifestSplit[] | undefined;
}

export interface ManifestSplit {
  readonly dimension: string;
  /** Chunks to a manifest, at least 1. */
  readonly chunks: number;
}

export interface StageOptions {
  /** The change is the whole content: all that was there is removed first, in the same part. */
  readonly fresh?: boolean;
}

/** Icechunk writes these two, of an empty repository always of this name, before the file that makes it one. It would not begin beside them. */
const REMAINS_OF_A_MAKER = ["snapshots/1CECHNKREP0F1RSTCMT0", "transactions/1CECHNKREP0F1RSTCMT0"];

/**
 * One Icechunk repository with one published branch. Every change is flushed as a snapshot that nobody sees, may be looked
 * at, and becomes visible by moving `main` from the version it was made from: if that moved meanwhile, nothing happens.
 */
export class IcechunkStore {
  readonly #repository: Repository;
  readonly #files: StoreFolder;
  /** When the making of a staged version began, in the file system's time, by version. */
  readonly #stagedSince = new Map<string, number>();
  readonly folder: string;

  private constructor(repository: Repository, files: StoreFolder, folder: string) {
    this.#repository = repository;
    this.#files = files;
    this.folder = folder;
  }

  /** Opens the repository. Answers undefined where there is none. */
  static async open(options: StoreOptions): Promise<IcechunkStore | undefined> {
    const { Repository } = loadIcechunk();
    const { authorization } = containersFor(options.prefixes, options.s3, options.keys);
    return guarded(options.folder, async () => {
      const files = new StoreFolder(options.folder);
      const storage = folderStorage(files);
      if (!(await Repository.exists(storage))) return undefined;
      return new IcechunkStore(await Repository.open(storage, configOf(options), authorization), files, options.folder);
    });
  }

  /** Opens the repository, or makes an empty one. */
  static async openOrCreate(options: StoreOptions): Promise<IcechunkStore> {
    const present = await IcechunkStore.open(options);
    if (present !== undefined) return present;
    const { Repository } = loadIcechunk();
    const { containers, authorization } = containersFor(options.prefixes, options.s3, options.keys);
    const config = { ...configOf(options), virtualChunkContainers: containers };
    return guarded(options.folder, async () => {
      const files = new StoreFolder(options.folder);
      await makeFolder(files.root);
      return files.making.hold(async () => {
        // Another process may have made it between our look and our turn.
        const made = await IcechunkStore.open(options);
        if (made !== undefined) return made;
        for (const path of REMAINS_OF_A_MAKER) await files.remove(path);
        const repository = await Repository.create(folderStorage(files), config, undefined, authorization);
        return new IcechunkStore(repository, files, options.folder);
      });
    });
  }

  /**
   * Opens a repository that is there, and lets it hold virtual chunks under `options.prefixes` from now on, and under no others:
   * whoever widens the list names the old ones too.
   */
  static async allow(options: StoreOptions): Promise<IcechunkStore> {
    const { Repository } = loadIcechunk();
    const { containers, authorization } = containersFor(options.prefixes, options.s3, options.keys);
    return guarded(options.folder, async () => {
      const files = new StoreFolder(options.folder);
      const config = { ...configOf(options), virtualChunkContainers: containers };
      const repository = await Repository.open(folderStorage(files), config, authorization);
      await repository.saveConfig();
      return new IcechunkStore(repository, files, options.folder);
    });
  }

  /** The published version. */
  head(): Promise<string> {
    return guarded(this.folder, () => this.#repository.lookupBranch(MAIN));
  }

  /**
   * Published versions, newest first, at most `limit`, expired ones too. The empty snapshot that a repository begins with is not
   * among them, nor are the parts that a publication came in.
   */
  async versions(limit: number): Promise<StoreVersion[]> {
    const ancestry = await guarded(this.folder, () => this.#repository.ancestry({ branch: MAIN }));
    const present = new Set(await this.#files.names("snapshots"));
    return versionsAmong(ancestry, (id) => present.has(id))
      .take(limit)
      .toArray();
  }

  /**
   * What a commit tells of a version, published or only staged. Undefined for what is no version: an id that the repository does not
   * know, a part of a publication, the empty snapshot that a repository begins with.
   */
  async version(id: string): Promise<StoreVersion | undefined> {
    const ancestry = await this.#ancestry(id);
    const isThere = (await this.#files.facts(`snapshots/${ancestry[0]?.id}`)) !== undefined;
    const youngest = versionsAmong(ancestry, () => isThere).next().value;
    return youngest?.id === ancestry[0]?.id ? (youngest ?? undefined) : undefined;
  }

  /**
   * True when `id` is `of` or one of those that `of` was made from. A published version that is not among those of `main` any more
   * means that somebody moved the branch. Ids that the repository does not know are nobody's ancestors.
   */
  async isAncestor(id: string, of: string): Promise<boolean> {
    return id === of || (await this.#ancestry(of)).some((snapshot) => snapshot.id === id);
  }

  /**
   * A version's keys and values, chunks included: zarrita reads it as it is.
   * @throws FreshetError `expired` for a version that upkeep has let go, `usage` for one that never was.
   */
  async reader(version: string): Promise<Store> {
    await this.#requireUnexpired(version);
    return (await guarded(this.folder, () => this.#repository.readonlySession({ snapshotId: version }))).store;
  }

  /** The value of one key of a version; undefined where there is none. @throws FreshetError as `reader` does. */
  async get(version: string, key: string): Promise<Uint8Array | undefined> {
    const store = await this.reader(version);
    try {
      return await guarded(this.folder, () => valueIn(store, key));
    } catch (error) {
      // It may have expired since it was opened.
      await this.#requireUnexpired(version);
      throw error;
    }
  }

  /**
   * Writes a change on top of `parent` and answers the version that nobody sees yet. A change that comes in parts is put together on
   * a branch of its own, which is gone afterwards; no more than one part is held at a time. What a crashed attempt at the
   * same publication left there is removed.
   * @param message tells one publication from another on the same parent.
   * @throws FreshetError `conflict` when `parent` is not the published version, at the beginning or between two parts.
   */
  async stage(
    parent: string,
    change: StoreChange | AsyncIterable<StoreChange>,
    message: string,
    tick: () => void = () => undefined,
    { fresh = false }: StageOptions = {},
  ): Promise<string> {
    requireVersionMessage(message);
    return guarded(this.folder, async () => {
      const since = await this.#files.now();
      const session = await this.#repository.writableSession(MAIN);
      this.#requireParent(session.snapshotId, parent);
      if (fresh) await session.store.clear();
      let version: string;
      if (Symbol.asyncIterator in change) version = await this.#stageParts(session, parent, change, message, tick);
      else {
        await applyChange(session, change, tick);
        version = await session.flush(message);
        reached("publish: part flushed");
      }
      this.#rememberStage(version, since);
      return version;
    });
  }

  /**
   * Makes a staged version the published one, if `parent` still is. Publishing the same version again is no error.
   * @throws FreshetError `conflict`, also for a version that was begun so long ago that upkeep may have removed some of it.
   */
  async publish(parent: string, version: string): Promise<void> {
    try {
      await this.#keepFromUpkeep(version);
      await this.#repository.resetBranch(MAIN, version, parent);
      this.#stagedSince.delete(version);
    } catch (error) {
      const failure = storeError(error, this.folder);
      if (failure.kind === "conflict" && (await this.head()) === version) return;
      throw failure;
    }
  }

  /**
   * Removes what no retained version uses and nobody is about to use: see `UpkeepOptions`. May run beside writers and readers, and
   * end at any moment.
   * @throws FreshetError `corrupt` or `unsupported` when something cannot be read that says what is in use, `conflict` when so much
   * is published that it finds no moment for it. Nothing has been removed then.
   */
  upkeep(options: UpkeepOptions): Promise<UpkeepReport> {
    return guarded(this.folder, () => upkeep(this.#files, (name) => removeCandidateBranch(this.#repository, name), options));
  }

  async #stageParts(
    first: Session,
    parent: string,
    parts: AsyncIterable<StoreChange>,
    message: string,
    tick: () => void,
  ): Promise<string> {
    const branch = candidateBranch(parent, message);
    let session = first;
    let begun = 0;
    let isOnBranch = false;
    try {
      for await (const part of parts) {
        // Whether a part is the last, and so bears the version's message, shows when the next one comes.
        if (begun > 0 && session.hasUncommittedChanges) {
          this.#requireParent(await this.head(), parent);
          const text = partMessage(begun, message);
          const done = isOnBranch ? await session.commit(text) : await this.#beginBranch(branch, await session.flush(text));
          isOnBranch = true;
          reached("publish: part flushed");
          session = await this.#repository.writableSession(branch);
          if (session.snapshotId !== done) {
            throw new FreshetError("conflict", "another attempt at this publication has begun", { uri: this.folder });
          }
        }
        await applyChange(session, part, tick);
        begun++;
      }
      const version = await session.flush(message);
      reached("publish: part flushed");
      if (isOnBranch) await removeCandidateBranch(this.#repository, branch);
      return version;
    } catch (error) {
      // What went wrong is the news. A branch that stays is removed by the next attempt, or by upkeep.
      if (isOnBranch) await removeCandidateBranch(this.#repository, branch).catch(() => undefined);
      throw error;
    }
  }

  async #beginBranch(branch: string, snapshot: string): Promise<string> {
    await removeCandidateBranch(this.#repository, branch);
    await this.#repository.createBranch(branch, snapshot);
    return snapshot;
  }

  #requireParent(found: string, parent: string): void {
    if (found === parent) return;
    throw new FreshetError("conflict", "another version was published meanwhile", { found, expected: parent, uri: this.folder });
  }

  #rememberStage(version: string, since: number): void {
    this.#stagedSince.set(version, since);
    for (const oldest of this.#stagedSince.keys()) {
      if (this.#stagedSince.size <= REMEMBERED_STAGES) break;
      this.#stagedSince.delete(oldest);
    }
  }

  /**
   * Makes upkeep take a version for one in use, from now on. Of one that was staged elsewhere only the end is known, so there it
   * counts as begun when it was flushed.
   */
  #keepFromUpkeep(version: string): Promise<void> {
    const path = `snapshots/${version}`;
    return this.#files.lock.hold(async () => {
      const since = this.#stagedSince.get(version) ?? (await this.#files.facts(path))?.changedMs;
      if (since === undefined || since < (await sweptUntil(this.#files)) || !(await this.#files.touch(path))) {
        throw new FreshetError("conflict", "what was staged is so old that upkeep may have removed some of it", {
          found: version,
          uri: this.folder,
          remedy: "Read the store again and make a new plan",
        });
      }
    });
  }

  /** A snapshot and those that it was made from, youngest first; none for an id that the repository does not know. */
  async #ancestry(id: string): Promise<SnapshotInfo[]> {
    try {
      return await guarded(this.folder, () => this.#repository.ancestry({ snapshotId: id }));
    } catch (error) {
      if (isFreshetError(error, "usage")) return [];
      throw error;
    }
  }

  async #requireUnexpired(version: string): Promise<void> {
    if ((await this.#files.facts(`snapshots/${version}`)) !== undefined) return;
    const { writtenAt, message } = await guarded(this.folder, () => this.#repository.lookupSnapshot(version));
    throw new FreshetError("expired", "the version is not kept any more", {
      found: `${version}, written ${writtenAt}: ${message.slice(0, 80)}`,
      uri: this.folder,
      remedy: "Choose a newer version, or keep more of them",
    });
  }
}

async function valueIn(store: Store, key: string): Promise<Uint8Array | undefined> {
  try {
    return (await store.get(key)) ?? undefined;
  } catch (error) {
    // Of a chunk whose array is not there, where every other missing key is null.
    if (/^node not found/.test((error as Error).message)) return undefined;
    throw error;
  }
}

function configOf({ split, alsoSplit = [] }: StoreOptions): RepositoryConfig {
  const windows = [split, ...alsoSplit, { dimension: "page", chunks: PAGES_PER_MANIFEST }].map(({ dimension, chunks }) => ({
    condition: { DimensionName: `^${escapeRegExp(dimension)}$` },
    num_chunks: chunks,
  }));
  return {
    inlineChunkThresholdBytes: INLINE_BYTES,
    caching: { numChunkRefs: CACHED_REFERENCES },
    manifest: { preload: NO_PRELOAD, splitting: { split_sizes: [[{ path_matches: { regex: ".*" } }, windows]] } },
  };
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
