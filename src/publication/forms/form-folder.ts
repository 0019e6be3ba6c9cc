import { copyFile, link, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { reached } from "../../steps/index.ts";
import { makeFolder, writeWhole } from "../../storage/index.ts";
import { FolderLock } from "../../writers/icechunk/index.ts";
import { type FormFiles, folderFiles } from "../../writers/kerchunk-parquet/index.ts";
import type { Alias, FormPlace, Keeping } from "./form-place.ts";
import { type FormPointer, POINTER, pointerText, readPointer } from "./form-pointer.ts";

/** What a writer is at work on; complete names never begin like this. */
const DRAFT = ".draft-";

/** A form in a folder. */
export class FormFolder implements FormPlace {
  readonly attempt: readonly string[] = [];
  readonly #folder: string;
  readonly #lock: FolderLock;

  /** @param to `file:///…`. */
  constructor(to: string) {
    this.#folder = fileURLToPath(to);
    this.#lock = new FolderLock(join(this.#folder, ".lock"));
  }

  async pointer(): Promise<FormPointer | undefined> {
    const bytes = await this.read(POINTER);
    return bytes === undefined ? undefined : readPointer(bytes, join(this.#folder, POINTER));
  }

  async draft(): Promise<string> {
    await makeFolder(this.#folder);
    return join(this.#folder, `${DRAFT}${crypto.randomUUID()}`);
  }

  files(name: string): FormFiles {
    return folderFiles(join(this.#folder, name));
  }

  read(path: string): Promise<Uint8Array | undefined> {
    return folderFiles(this.#folder).read(path);
  }

  write(path: string, bytes: Uint8Array): Promise<void> {
    return writeWhole(join(this.#folder, path), bytes);
  }

  remove(path: string): Promise<void> {
    return rm(join(this.#folder, path), { force: true });
  }

  async amend(path: string, change: (present: Uint8Array | undefined) => Uint8Array): Promise<void> {
    await makeFolder(this.#folder);
    await this.#lock.hold(async () => this.write(path, change(await this.read(path))));
  }

  /** One that is there already stays: another attempt was first. */
  async keep(draft: string, name: string): Promise<void> {
    const place = join(this.#folder, name);
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

  async show(next: FormPointer, alias?: Alias): Promise<FormPointer> {
    return this.#lock.hold(async () => {
      const current = await this.pointer();
      const shown = current !== undefined && current.sequence > next.sequence ? current : next;
      const isShown = isDeepStrictEqual(current, shown);
      if (!isShown) await this.write(POINTER, pointerText(next));
      reached("form: pointer moved");
      if (alias !== undefined) await this.#alsoCall(shown.path, alias);
      return shown;
    });
  }

  async tidy(sequenceOf: (name: string) => number | undefined, { versions, forMs, graceMs, nowMs }: Keeping): Promise<number> {
    const pointer = await this.pointer();
    const kept: { readonly name: string; readonly sequence: number; readonly writtenMs: number }[] = [];
    for (const name of await readdir(this.#folder)) {
      const facts = await stat(join(this.#folder, name)).catch(() => undefined);
      if (facts === undefined) continue;
      if (name.startsWith(DRAFT) && nowMs - facts.mtimeMs > graceMs) await this.#removeVersion(name);
      const sequence = sequenceOf(name);
      if (sequence !== undefined) kept.push({ name, sequence, writtenMs: facts.mtimeMs });
    }
    kept.sort((a, b) => b.sequence - a.sequence);
    let removed = 0;
    for (const [rank, { name, writtenMs }] of kept.entries()) {
      const supersededMs = kept[rank - 1]?.writtenMs ?? nowMs;
      if (rank < versions || name === pointer?.path || nowMs - writtenMs <= forMs || nowMs - supersededMs <= graceMs) continue;
      reached("form: before removing");
      await this.#removeVersion(name);
      removed++;
    }
    return removed;
  }

  /** Under another name first: whoever opens it by its own finds it whole or not at all. */
  async #removeVersion(name: string): Promise<void> {
    const aside = name.startsWith(DRAFT) ? name : `${DRAFT}${crypto.randomUUID()}`;
    if (aside !== name) await rename(join(this.#folder, name), join(this.#folder, aside));
    await rm(join(this.#folder, aside), { recursive: true, force: true });
  }

  async #alsoCall(path: string, { name, content }: Alias): Promise<void> {
    if (content !== undefined) {
      const wanted = await content(path);
      const present = wanted && (await this.read(name));
      if (wanted !== undefined && present !== undefined && Buffer.compare(wanted, present) === 0) return;
      return wanted && this.write(name, wanted);
    }
    const from = join(this.#folder, path);
    const to = join(this.#folder, name);
    const [file, named] = await Promise.all([stat(from), stat(to).catch(() => undefined)]);
    if (named?.ino === file.ino) return;
    const draft = await this.draft();
    await link(from, draft).catch(() => copyFile(from, draft));
    await rename(draft, to);
  }
}
