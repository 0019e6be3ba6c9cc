import { FreshetError } from "../../errors/index.ts";
import type { StoreFolder } from "./store-folder.ts";
import { chunksOfManifest } from "./stored/manifest.ts";
import { manifestsOfSnapshot } from "./stored/snapshot.ts";

/**
 * A snapshot from which things are in use. Of one that is `whole` everything must be there; one that is only `young` may have been
 * made by a process that slept while upkeep went through, and lead nowhere.
 */
export type Root = "whole" | "young";

/** Manifests that are read at once. */
const READ_AT_ONCE = 8;

/** The objects of a store that are in use: each root, the manifests it names, and the chunks that these name. Grows, never shrinks. */
export class InUse {
  readonly #folder: StoreFolder;
  readonly #tick: () => void;
  readonly #snapshots = new Set<string>();
  readonly #manifests = new Set<string>();
  readonly #chunks = new Set<string>();

  constructor(folder: StoreFolder, tick: () => void = () => undefined) {
    this.#folder = folder;
    this.#tick = tick;
  }

  /** Adds what can be reached from these snapshots. @throws FreshetError `corrupt`, `unsupported`. */
  async mark(roots: ReadonlyMap<string, Root>): Promise<void> {
    for (const [id, root] of roots) {
      const path = `snapshots/${id}`;
      const bytes = await this.#folder.read(path);
      this.#snapshots.add(id);
      if (bytes === undefined) continue;
      const named = await manifestsOfSnapshot(bytes, this.#folder.locate(path));
      const manifests = [...named].filter((name) => !this.#manifests.has(name));
      for (let from = 0; from < manifests.length; from += READ_AT_ONCE)
        await Promise.all(manifests.slice(from, from + READ_AT_ONCE).map((name) => this.#markManifest(name, path, root)));
    }
  }

  /** Those that have not been marked yet. */
  without(roots: ReadonlyMap<string, Root>): ReadonlyMap<string, Root> {
    return new Map([...roots].filter(([id]) => !this.#snapshots.has(id)));
  }

  /** @param name of the object's file. A transaction log is in use while its snapshot is. */
  has(kind: string, name: string): boolean {
    switch (kind) {
      case "snapshot":
      case "transaction":
        return this.#snapshots.has(name);
      case "manifest":
        return this.#manifests.has(name);
      case "chunk":
        return this.#chunks.has(name);
      default:
        return false;
    }
  }

  async #markManifest(name: string, snapshot: string, root: Root): Promise<void> {
    const path = `manifests/${name}`;
    const bytes = await this.#folder.read(path);
    this.#tick();
    if (bytes !== undefined) {
      for (const chunk of await chunksOfManifest(bytes, this.#folder.locate(path))) this.#chunks.add(chunk);
      this.#manifests.add(name);
      return;
    }
    // Snapshots go first: where this one has gone too, another upkeep has let the version expire meanwhile.
    if (root === "young" || (await this.#folder.facts(snapshot)) === undefined) return;
    throw new FreshetError("corrupt", "a file that a version needs is missing", {
      uri: this.#folder.locate(path),
      remedy: "Restore it from a backup, or build the store anew",
    });
  }
}
