import { link, open, readdir, readFile, stat, unlink, utimes } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { FreshetError } from "../../errors/index.ts";
import { makeFolder, writeWhole } from "../../storage/index.ts";
import { FolderLock } from "./folder-lock.ts";

/** Facts of so many files are asked for at once. */
const FACTS_AT_ONCE = 64;
/** Rewritten to learn what time it is where the store lies. */
const CLOCK = ".clock";

/** A file of a store's folder. */
export interface StoredObject {
  /** Its path, from the prefix that was listed, with `/` on every platform. */
  readonly path: string;
  readonly bytes: number;
  /** Its content's time. */
  readonly modified: Date;
  /**
   * When its content, its name or its times were set last, in the file system's milliseconds since 1970: the later of what it
   * says of both. So a file that was copied or restored with its old time counts as young.
   */
  readonly changedMs: number;
}

/** The folder of a store: the one way to its files. A path that leads out of it is an error. */
export class StoreFolder {
  readonly root: string;
  /** Held for conditional writes, and for what has to agree with them. */
  readonly lock: FolderLock;
  /** Held while the store is begun, which takes `lock` several times. */
  readonly making: FolderLock;

  constructor(folder: string) {
    this.root = resolve(folder);
    this.lock = new FolderLock(join(this.root, ".lock"));
    this.making = new FolderLock(join(this.root, ".making"));
  }

  /** The place of an object. @throws FreshetError `storage` for a path that leads out of the folder. */
  locate(path: string): string {
    const full = join(this.root, path);
    if (full !== this.root && !full.startsWith(this.root + sep)) {
      throw new FreshetError("storage", "an object's path leads out of the store", { found: path, uri: this.root });
    }
    return full;
  }

  /** An object's bytes; undefined where there is none. */
  read(path: string): Promise<Buffer | undefined> {
    return orUndefined(readFile(this.locate(path)));
  }

  /** Writes an object that is there whole or not at all. */
  write(path: string, bytes: Uint8Array): Promise<void> {
    return writeWhole(this.locate(path), bytes);
  }

  /** Makes `to` what `from` is now. False where there is no `from`. */
  async copy(from: string, to: string): Promise<boolean> {
    const source = this.locate(from);
    const target = this.locate(to);
    try {
      // Objects are replaced by rename, never written into: a second name keeps what the first one is now.
      await makeFolder(join(target, ".."));
      await link(source, target);
      return true;
    } catch {
      const bytes = await this.read(from);
      if (bytes === undefined) return false;
      await writeWhole(target, bytes);
      return true;
    }
  }

  /** Removes an object; that there is none is no error. */
  async remove(path: string): Promise<void> {
    await orUndefined(unlink(this.locate(path)));
  }

  /** An object's size and times; undefined where there is none. */
  async facts(path: string): Promise<Omit<StoredObject, "path"> | undefined> {
    const facts = await orUndefined(stat(this.locate(path)));
    return facts && { bytes: facts.size, modified: facts.mtime, changedMs: Math.max(facts.mtimeMs, facts.ctimeMs) };
  }

  /** Makes an object as young as one that is written now. False where there is none. */
  async touch(path: string): Promise<boolean> {
    const now = new Date();
    return (await orUndefined(utimes(this.locate(path), now, now).then(() => true))) ?? false;
  }

  /**
   * The file system's time: what is written after this has a `changedMs` that is not smaller. The clock of another machine, or
   * this one's before the file system has looked at it, may say otherwise.
   */
  async now(): Promise<number> {
    await makeFolder(this.root);
    const file = await open(this.locate(CLOCK), "w");
    try {
      await file.write(" ");
      const { mtimeMs, ctimeMs } = await file.stat();
      return Math.min(mtimeMs, ctimeMs);
    } finally {
      await file.close();
    }
  }

  /** Every file below a prefix, hidden ones too, in no order. Files that vanish meanwhile are left out. */
  async list(prefix: string): Promise<StoredObject[]> {
    const folder = this.locate(prefix);
    const entries = (await orUndefined(readdir(folder, { withFileTypes: true, recursive: true }))) ?? [];
    const paths = entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(folder.length + 1)
          .split(sep)
          .join("/"),
      );
    const objects: StoredObject[] = [];
    for (let from = 0; from < paths.length; from += FACTS_AT_ONCE) {
      const some = await Promise.all(
        paths.slice(from, from + FACTS_AT_ONCE).map(async (path) => {
          const facts = await this.facts(join(prefix, path));
          return facts && { path, ...facts };
        }),
      );
      for (const object of some) if (object !== undefined) objects.push(object);
    }
    return objects;
  }

  /** The names of the files of one folder, hidden ones too. */
  async names(prefix: string): Promise<string[]> {
    return (await orUndefined(readdir(this.locate(prefix)))) ?? [];
  }
}

/** What is answered, or undefined where there is no such file or folder. */
async function orUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
