import { createHash, randomUUID } from "node:crypto";
import { open, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { FreshetError } from "../errors/index.ts";
import { reached } from "../steps/index.ts";
import { makeFolder, type RangeReader } from "../storage/index.ts";
import { type Checksum, ChecksumCheck } from "./checksum.ts";

const PART_BYTES = 4 * 1024 * 1024;
/** Room that has to be left after a copy: a full disk stops the ledger and the store too. */
const SPARE_BYTES = 64 * 1024 * 1024;
const ABANDONED_MS = 24 * 3_600_000;

/**
 * Our own copy of a revision, which never changes: its name carries the revision's identity. One that is there already is not
 * fetched again, so what references point at keeps its time of change.
 * @param mirror `file:///…/`.
 * @returns the path of the copy.
 * @throws FreshetError `storage` when it cannot be written, `source-…` as the source answers.
 */
export async function copyToMirror(
  reader: RangeReader,
  place: { readonly mirror: string; readonly dataset: string; readonly key: string; readonly identity: string },
  options: {
    readonly signal: AbortSignal;
    readonly onProgress: (bytes: number) => void;
    /** What the copy is held against before it is ours. */
    readonly checksum?: Checksum | undefined;
  },
): Promise<string> {
  const target = mirrorPath(place);
  const folder = dirname(target);
  const present = await stat(target).catch(() => undefined);
  if (present?.size === reader.size) return target;
  const parts = join(fileURLToPath(place.mirror), ".parts");
  const temporary = join(parts, randomUUID());
  try {
    await makeFolder(folder);
    await makeFolder(parts);
    await removeAbandoned(parts);
    const free = await statfs(folder);
    if (free.bavail * free.bsize < reader.size + SPARE_BYTES) {
      throw new FreshetError("storage", "the mirror's disk has no room for this granule", {
        found: `${Math.floor((free.bavail * free.bsize) / 2 ** 20)} MiB free`,
        expected: `${Math.ceil((reader.size + SPARE_BYTES) / 2 ** 20)} MiB`,
        uri: place.mirror,
        remedy: "Free some space; Freshet goes on by itself",
      });
    }
    const check = options.checksum && new ChecksumCheck(options.checksum);
    const file = await open(temporary, "wx");
    try {
      for (let offset = 0; offset < reader.size; offset += PART_BYTES) {
        const length = Math.min(PART_BYTES, reader.size - offset);
        const bytes = await reader.read(offset, length, options.signal);
        check?.update(bytes);
        await file.writeFile(bytes);
        reached("download: part copied");
        options.onProgress(offset + length);
      }
      check?.finish(reader.uri);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
    reached("download: copy in place");
    return target;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    if (error instanceof FreshetError || options.signal.aborted) throw error;
    throw new FreshetError("storage", "the granule could not be copied into the mirror", {
      found: (error as Error).message,
      uri: place.mirror,
      remedy: "See that the folder can be written and its disk has room",
      cause: error,
    });
  }
}

/** Where the copy of a revision is, or would be. */
export function mirrorPath(place: {
  readonly mirror: string;
  readonly dataset: string;
  readonly key: string;
  readonly identity: string;
}): string {
  return join(fileURLToPath(place.mirror), place.dataset, mirrorName(place.key, place.identity));
}

/** What was being copied when a process died. No transfer takes as long as a day. */
async function removeAbandoned(parts: string): Promise<void> {
  for (const name of await readdir(parts)) {
    const path = join(parts, name);
    const facts = await stat(path).catch(() => undefined);
    if (facts !== undefined && Date.now() - facts.mtimeMs > ABANDONED_MS) await rm(path, { force: true });
  }
}

/** A file name that people recognise and nothing from outside can steer: the harmless part of the key, and a hash of all of it. */
function mirrorName(key: string, identity: string): string {
  const hash = createHash("sha256").update(`${key}\n${identity}`).digest("hex").slice(0, 16);
  const last = key.slice(key.lastIndexOf("/") + 1);
  return `${hash}-${last.replace(/[^A-Za-z0-9._-]/g, "_").slice(-120)}`;
}
