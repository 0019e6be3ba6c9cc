import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, open, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { FreshetError, isFreshetError } from "../errors/index.ts";
import { reached } from "../steps/index.ts";
import { inFolder, type RangeReader } from "../storage/index.ts";
import { ChecksumCheck } from "./checksum.ts";
import { CopyFile } from "./copy-file.ts";
import type { CopyOptions } from "./copy-options.ts";
import { type PartialCopy, piecesOfPart, usablePart } from "./partial-copy.ts";
import { tidyAbandoned } from "./tidy-abandoned.ts";
import { wholePieces } from "./whole-pieces.ts";

/** Room that has to be left after a copy: a full disk stops the ledger and the store too. */
const SPARE_BYTES = 64 * 1024 * 1024;
/** Bytes from one word of progress to the next. */
const TOLD_BYTES = 4 * 1024 * 1024;
/** Less is fetched again as fast. */
const WORTH_KEEPING_BYTES = 1024 * 1024;

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
  options: CopyOptions<PartialCopy>,
): Promise<string> {
  const target = mirrorPath(place);
  const folder = dirname(target);
  const present = await stat(target).catch(() => undefined);
  if (present?.size === reader.size) return target;
  const parts = join(fileURLToPath(place.mirror), ".parts");
  const name = randomUUID();
  const temporary = join(parts, name);
  try {
    const file = await inFolder(parts, () => open(temporary, "wx"));
    const onPart = async (bytes: number): Promise<void> => {
      options.onPart?.({ name, bytes, identity: reader.identity });
      if (options.earlier !== undefined) await rm(join(parts, options.earlier.name), { force: true });
    };
    await fill(reader, { file, temporary, parts, mirror: place.mirror }, { ...options, onPart });
    await inFolder(folder, () => rename(temporary, target));
    reached("download: copy in place");
    if (options.earlier !== undefined) await rm(join(parts, options.earlier.name), { force: true });
    return target;
  } catch (error) {
    if (error instanceof FreshetError || options.signal.aborted) throw error;
    throw new FreshetError("storage", "the granule could not be copied into the mirror", {
      found: (error as Error).message,
      uri: place.mirror,
      remedy: "See that the folder can be written and its disk has room",
      cause: error,
    });
  }
}

async function fill(
  reader: RangeReader,
  place: { readonly file: FileHandle; readonly temporary: string; readonly parts: string; readonly mirror: string },
  options: Omit<CopyOptions<PartialCopy>, "onPart"> & { readonly onPart: (bytes: number) => Promise<void> },
): Promise<void> {
  const { file } = place;
  const { signal, earlier, onPart } = options;
  const check = options.checksum && new ChecksumCheck(options.checksum);
  const part = await usablePart(place.parts, earlier, reader.identity);
  const kept = part === undefined ? 0 : (earlier?.bytes ?? 0);
  const copy = new CopyFile(file, reader.size, check, async (bytes) => {
    if (bytes >= kept) await onPart(bytes);
    await requireRoom(place.parts, reader.size - bytes, place.mirror);
  });
  let told = 0;
  const tell = (): void => {
    told = copy.length;
    options.onProgress(told);
  };
  const add = async (piece: Uint8Array): Promise<void> => {
    if (!(await copy.add(piece))) return;
    reached("download: part copied");
    if (copy.length - told >= TOLD_BYTES) tell();
  };
  try {
    await removeAbandoned(place.parts);
    await requireRoom(place.parts, reader.size, place.mirror);
    if (part !== undefined) for await (const piece of piecesOfPart(part, kept, signal)) await add(piece);
    for await (const piece of wholePieces(reader, kept, signal)) await add(piece);
    check?.finish(reader.uri);
    await copy.finish();
    reached("download: part copied");
    if (copy.length > told) tell();
    await file.close();
  } catch (error) {
    const bytes = await copy.giveUp();
    await file.close().catch(() => undefined);
    // What the next attempt goes on with, where it is more than what there was.
    const isUseful = bytes >= Math.max(kept, WORTH_KEEPING_BYTES);
    if (isUseful && (signal.aborted || isFreshetError(error, "source-unavailable"))) await onPart(bytes);
    else await rm(place.temporary, { force: true }).catch(() => undefined);
    // The part may be what is wrong with it.
    if (part !== undefined && isFreshetError(error, "source-changed")) await rm(part, { force: true });
    throw error;
  }
}

/** @param bytes that are still to come. @throws FreshetError `storage` where they have no room. */
async function requireRoom(folder: string, bytes: number, mirror: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= bytes + SPARE_BYTES) return;
  throw new FreshetError("storage", "the mirror's disk has no room for this granule", {
    found: `${Math.floor((bavail * bsize) / 2 ** 20)} MiB free`,
    expected: `${Math.ceil((bytes + SPARE_BYTES) / 2 ** 20)} MiB`,
    uri: mirror,
    remedy: "Free some space; Freshet goes on by itself",
  });
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

function removeAbandoned(parts: string): Promise<void> {
  return tidyAbandoned(parts, async (beforeMs) => {
    for (const name of await readdir(parts)) {
      const path = join(parts, name);
      const facts = await stat(path).catch(() => undefined);
      if (facts !== undefined && facts.mtimeMs < beforeMs) await rm(path, { force: true });
    }
  });
}

/** A file name that people recognise and nothing from outside can steer: the harmless part of the key, and a hash of all of it. */
export function mirrorName(key: string, identity: string): string {
  const hash = createHash("sha256").update(`${key}\n${identity}`).digest("hex").slice(0, 16);
  const last = key.slice(key.lastIndexOf("/") + 1);
  return `${hash}-${last.replace(/[^A-Za-z0-9._-]/g, "_").slice(-120)}`;
}
