import { randomUUID } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { FreshetError } from "../../errors/index.ts";
import { reached } from "../../steps/index.ts";
import { type S3Connection, S3Folder } from "../../storage/index.ts";
import type { FormFiles } from "../../writers/kerchunk-parquet/index.ts";
import type { Alias, FormPlace, Keeping } from "./form-place.ts";
import { type FormPointer, POINTER, pointerText, readPointer } from "./form-pointer.ts";

/** Written last, so that a version that is a folder has it when it is whole; removed first. */
const LAST = ".zmetadata";
/** Objects of a version that are written at once. */
const AT_ONCE = 8;
/** What an alias tells of itself: the path that it stands for. */
const STANDS_FOR = "freshet-path";
/** Writers that meet give way to each other so often; then something else is wrong. */
const MOST_TRIES = 20;

/** Files of a version that the next one takes over. */
interface BucketFiles extends FormFiles {
  /** The version's name. */
  readonly name: string;
  readonly taken: Set<string>;
}

/**
 * A form in a bucket of S3. Versions are written on this machine first. A pointer moves by a write on condition that it still is the one
 * that was read (If-Match, If-None-Match), so that of two writers one sees the other.
 */
export class FormBucket implements FormPlace {
  readonly attempt: readonly string[] = [randomUUID()];
  readonly #folder: S3Folder;

  /** @param to `s3://bucket/prefix`. */
  constructor(to: string, connection: S3Connection) {
    this.#folder = new S3Folder(to, connection);
  }

  async pointer(): Promise<FormPointer | undefined> {
    return (await this.#pointed())?.pointer;
  }

  async draft(): Promise<string> {
    return join(tmpdir(), `freshet-form-${randomUUID()}`);
  }

  files(name: string): BucketFiles {
    const folder = this.#folder;
    const taken = new Set<string>();
    /** One listing tells of every partition whether it is there. */
    let present: Promise<Set<string>> | undefined;
    return {
      name,
      taken,
      place: `${folder.uri}${name}`,
      read: async (path) => (await folder.read(`${name}/${path}`))?.bytes,
      takeOver: async (path) => {
        present ??= this.#names(`${name}/`);
        if (!(await present).has(`${name}/${path}`)) return false;
        taken.add(path);
        return true;
      },
    };
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    return (await this.#folder.read(path))?.bytes;
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.#folder.write(path, bytes);
  }

  remove(path: string): Promise<void> {
    return this.#folder.remove([path]);
  }

  amend(path: string, change: (present: Uint8Array | undefined) => Uint8Array): Promise<void> {
    return this.#untilDone(async () => {
      const present = await this.#folder.read(path);
      return this.#folder.write(path, change(present?.bytes), { onlyIf: present?.etag ?? null });
    });
  }

  async keep(draft: string, name: string, previous?: FormFiles): Promise<void> {
    try {
      const isFolder = (await stat(draft)).isDirectory();
      // One of this name that is there already has the same content.
      if (isFolder) await this.#keepFolder(draft, name, previous as BucketFiles | undefined);
      else await this.#folder.write(name, draft, { onlyIf: null });
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }

  async show(next: FormPointer, alias?: Alias): Promise<FormPointer> {
    let shown = next;
    await this.#untilDone(async () => {
      const current = await this.#pointed();
      shown = current !== undefined && current.pointer.sequence > next.sequence ? current.pointer : next;
      if (isDeepStrictEqual(current?.pointer, shown)) return true;
      return this.#folder.write(POINTER, pointerText(shown), { onlyIf: current?.etag ?? null });
    });
    reached("form: pointer moved");
    if (alias !== undefined) await this.#untilDone(() => this.#isNamed(alias));
    return shown;
  }

  async tidy(sequenceOf: (name: string) => number | undefined, { versions, forMs, graceMs, nowMs }: Keeping): Promise<number> {
    if (versions === Number.MAX_SAFE_INTEGER) return 0;
    const pointer = await this.pointer();
    const kept: { readonly name: string; readonly sequence: number; readonly writtenMs: number | undefined }[] = [];
    for await (const { path, modifiedMs } of this.#folder.list("", { isFlat: true })) {
      const name = path.replace(/\/$/, "");
      const sequence = sequenceOf(name);
      if (sequence !== undefined) kept.push({ name, sequence, writtenMs: modifiedMs });
    }
    // Of writers that met there may be two of one sequence: they count as one.
    const newest = [...new Set(kept.map(({ sequence }) => sequence))].sort((a, b) => b - a);
    let removed = 0;
    for (const version of kept) {
      const rank = newest.indexOf(version.sequence);
      if (rank < versions || version.name === pointer?.path) continue;
      const superseding = kept.find(({ sequence }) => sequence === newest[rank - 1]);
      const [writtenMs, supersededMs] = [await this.#writtenMs(version), superseding && (await this.#writtenMs(superseding))];
      if (nowMs - writtenMs <= forMs || nowMs - (supersededMs ?? nowMs) <= graceMs) continue;
      reached("form: before removing");
      await this.#removeVersion(version.name);
      removed++;
    }
    return removed;
  }

  async #pointed(): Promise<{ readonly pointer: FormPointer; readonly etag: string } | undefined> {
    const stored = await this.#folder.read(POINTER);
    return stored && { pointer: readPointer(stored.bytes, `${this.#folder.uri}${POINTER}`), etag: stored.etag };
  }

  async #keepFolder(draft: string, name: string, previous: BucketFiles | undefined): Promise<void> {
    const entries = await readdir(draft, { withFileTypes: true, recursive: true });
    const written = entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(draft.length + 1)
          .split(sep)
          .join("/"),
      )
      .filter((path) => path !== LAST);
    await atOnce(written, async (path) => {
      await this.#folder.write(`${name}/${path}`, join(draft, path));
    });
    if (previous !== undefined) {
      await atOnce([...previous.taken], async (path) => {
        if (await this.#folder.copy(`${previous.name}/${path}`, `${name}/${path}`)) return;
        throw new FreshetError("conflict", "a file of the previous version is gone", { uri: `${previous.place}/${path}` });
      });
    }
    await this.#folder.write(`${name}/${LAST}`, join(draft, LAST));
  }

  /** One step towards an alias that stands for what the pointer names; true when it does. */
  async #isNamed({ name, content }: Alias): Promise<boolean> {
    const pointed = await this.#pointed();
    if (pointed === undefined) return true;
    const { path } = pointed.pointer;
    if (content === undefined) {
      if ((await this.#folder.facts(name))?.told[STANDS_FOR] === path) return true;
      // Whoever copied an older one last looks again, as we do: the pointer may have moved meanwhile.
      await this.#folder.copy(path, name, { [STANDS_FOR]: path });
      return false;
    }
    const wanted = await content(path);
    const present = await this.#folder.read(name);
    if (wanted === undefined || (present !== undefined && Buffer.compare(wanted, present.bytes) === 0)) return true;
    await this.#folder.write(name, wanted, { onlyIf: present?.etag ?? null });
    return false;
  }

  async #untilDone(step: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES; tries++) if (await step()) return;
    throw new FreshetError("conflict", "others write this form all the time", { uri: this.#folder.uri });
  }

  /** A version that is a folder was written when it became whole; what is no more, or not yet, when its youngest file was. */
  async #writtenMs({ name, writtenMs }: { readonly name: string; readonly writtenMs: number | undefined }): Promise<number> {
    if (writtenMs !== undefined) return writtenMs;
    const whole = await this.#folder.facts(`${name}/${LAST}`);
    if (whole !== undefined) return whole.modifiedMs;
    let youngest = 0;
    for await (const { modifiedMs = 0 } of this.#folder.list(`${name}/`)) youngest = Math.max(youngest, modifiedMs);
    return youngest;
  }

  async #removeVersion(name: string): Promise<void> {
    const files = [...(await this.#names(`${name}/`))].filter((path) => path !== `${name}/${LAST}`);
    await this.#folder.remove([name.endsWith(".parq") ? `${name}/${LAST}` : name]);
    await this.#folder.remove(files);
  }

  async #names(below: string): Promise<Set<string>> {
    const names = new Set<string>();
    for await (const { path } of this.#folder.list(below)) names.add(path);
    return names;
  }
}

async function atOnce(paths: readonly string[], work: (path: string) => Promise<void>): Promise<void> {
  const left = paths.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const path of left) await work(path);
    }),
  );
}
