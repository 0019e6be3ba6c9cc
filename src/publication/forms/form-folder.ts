import { copyFile, link, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { FreshetError } from "../../errors/index.ts";
import { reached } from "../../steps/index.ts";
import { makeFolder, writeWhole } from "../../storage/index.ts";
import { FolderLock } from "../../writers/icechunk/index.ts";

const POINTER = "pointer.json";
/** What a writer is at work on; complete names never begin like this. */
const DRAFT = ".draft-";

const pointerSchema = z.strictObject({
  format: z.literal(1),
  form: z.string(),
  dataset: z.string(),
  product: z.string(),
  /** The publication that is shown, and its version in the store. */
  sequence: z.int().positive(),
  version: z.string(),
  /** What is to be opened, in the pointer's folder. */
  path: z.string().regex(/^[^/\\.][^/\\]*$/),
  /** How the form was asked for: another way makes another content. */
  settings: z.string(),
  /** Milliseconds since 1970. */
  writtenMs: z.number(),
  references: z.int(),
  inlined: z.int(),
  /** Arrays that the form cannot hold, and why. */
  refused: z.record(z.string(), z.string()),
});

/** Which version a form shows: the content of `pointer.json`. */
export type FormPointer = z.infer<typeof pointerSchema>;

/** The folder of a form: its versions, each whole under a name of its own, and the pointer to the newest. */
export class FormFolder {
  readonly folder: string;
  readonly #lock: FolderLock;

  constructor(folder: string) {
    this.folder = folder;
    this.#lock = new FolderLock(join(folder, ".lock"));
  }

  /** Undefined while nothing is shown. @throws FreshetError `corrupt` for a file that is not ours. */
  async pointer(): Promise<FormPointer | undefined> {
    const file = join(this.folder, POINTER);
    const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (text === undefined) return undefined;
    try {
      return pointerSchema.parse(JSON.parse(text));
    } catch (cause) {
      throw new FreshetError("corrupt", "the pointer of a form cannot be read", {
        found: text.slice(0, 80),
        uri: file,
        remedy: "Give the form a folder of its own, or move that one away",
        cause,
      });
    }
  }

  /** A new place to write a version at. */
  async draft(): Promise<string> {
    await makeFolder(this.folder);
    return join(this.folder, `${DRAFT}${crypto.randomUUID()}`);
  }

  /** Gives a draft, which is whole and on disk, its name. One that is there already stays: another attempt was first. */
  async keep(draft: string, name: string): Promise<void> {
    const place = join(this.folder, name);
    const isThere = await stat(place).then(
      () => true,
      () => false,
    );
    if (isThere) return rm(draft, { recursive: true, force: true });
    await rename(draft, place).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
      return rm(draft, { recursive: true, force: true });
    });
  }

  /**
   * Lets readers see a version that is kept, if they see no newer one. With `latest`, that name becomes one more of the file that the
   * pointer names.
   * @returns what readers see then.
   */
  async show(next: FormPointer, latest?: string): Promise<FormPointer> {
    return this.#lock.hold(async () => {
      const current = await this.pointer();
      const shown = current !== undefined && current.sequence > next.sequence ? current : next;
      const isShown = isDeepStrictEqual(current, shown);
      if (!isShown) await writeWhole(join(this.folder, POINTER), Buffer.from(`${JSON.stringify(next, undefined, 2)}\n`));
      reached("form: pointer moved");
      if (latest !== undefined) await this.#alsoCall(shown.path, latest);
      return shown;
    });
  }

  /**
   * Removes drafts of writers that are gone, and versions beyond the newest `versions` that are older than `forMs`. What readers see,
   * and what they saw until less than `graceMs` ago, stays.
   * @param nameOf the sequence of a version by its name; undefined for what is none.
   * @returns how many versions were removed.
   */
  async tidy(
    nameOf: (name: string) => number | undefined,
    { versions, forMs, graceMs, nowMs }: { versions: number; forMs: number; graceMs: number; nowMs: number },
  ): Promise<number> {
    const pointer = await this.pointer();
    const kept: { readonly name: string; readonly sequence: number; readonly writtenMs: number }[] = [];
    for (const name of await readdir(this.folder)) {
      const facts = await stat(join(this.folder, name)).catch(() => undefined);
      if (facts === undefined) continue;
      if (name.startsWith(DRAFT) && nowMs - facts.mtimeMs > graceMs) await this.#remove(name);
      const sequence = nameOf(name);
      if (sequence !== undefined) kept.push({ name, sequence, writtenMs: facts.mtimeMs });
    }
    kept.sort((a, b) => b.sequence - a.sequence);
    let removed = 0;
    for (const [rank, { name, writtenMs }] of kept.entries()) {
      const supersededMs = kept[rank - 1]?.writtenMs ?? nowMs;
      if (rank < versions || name === pointer?.path || nowMs - writtenMs <= forMs || nowMs - supersededMs <= graceMs) continue;
      reached("form: before removing");
      await this.#remove(name);
      removed++;
    }
    return removed;
  }

  /** Under another name first: whoever opens it by its own finds it whole or not at all. */
  async #remove(name: string): Promise<void> {
    const aside = name.startsWith(DRAFT) ? name : `${DRAFT}${crypto.randomUUID()}`;
    if (aside !== name) await rename(join(this.folder, name), join(this.folder, aside));
    await rm(join(this.folder, aside), { recursive: true, force: true });
  }

  async #alsoCall(path: string, latest: string): Promise<void> {
    const from = join(this.folder, path);
    const to = join(this.folder, latest);
    const [file, named] = await Promise.all([stat(from), stat(to).catch(() => undefined)]);
    if (named?.ino === file.ino) return;
    const draft = await this.draft();
    await link(from, draft).catch(() => copyFile(from, draft));
    await rename(draft, to);
  }
}
