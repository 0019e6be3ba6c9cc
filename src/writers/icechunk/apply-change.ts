import type { Session, Store, VirtualChunkSpec } from "@earthmover/icechunk";
import { FreshetError } from "../../errors/index.ts";
import { patchedChunks } from "../row-patch.ts";
import { type ArrayChange, chunkBytes, type RowPatch, type StoreChange, type VirtualChunk } from "./store-change.ts";

/** setVirtualRefs holds the event loop for about 2 µs a reference (reference: icechunk, section 2). */
const REFERENCES_PER_CALL = 10_000;

/**
 * Writes a change into a session that is not committed yet.
 * @param tick called between its steps.
 * @throws FreshetError `source-refused` for a reference outside the store's prefixes, `corrupt` for one that is no range, or for a
 * stored chunk that is not as long as its array says.
 */
export async function applyChange(session: Session, change: StoreChange, tick: () => void): Promise<void> {
  const { store } = session;
  for (const path of change.removed ?? []) {
    await store.deleteDir(path.slice(1));
    tick();
  }
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
    for (const chunk of array.native) {
      await store.set(chunkKey(array.path, chunk.index), Buffer.from(await chunkBytes(chunk)));
      tick();
    }
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
  // Of an object of S3 readers compare the entity tag, which tells two states within one second apart.
  if (source.etag !== undefined && uri.startsWith("s3:")) return { ...reference, etagChecksum: source.etag };
  // A source's own clock counts in whole seconds where it is read again: round up, or an unchanged file would look changed.
  if (source.lastModifiedMs !== undefined) {
    return { ...reference, lastModified: new Date(Math.ceil(source.lastModifiedMs / 1000) * 1000) };
  }
  return source.etag === undefined ? reference : { ...reference, etagChecksum: source.etag };
}

async function patchRows(store: Store, path: string, patch: RowPatch): Promise<void> {
  const present = async (index: readonly number[]) => (await store.get(chunkKey(path, index))) ?? undefined;
  try {
    for await (const { index, bytes } of patchedChunks(patch, present))
      await store.set(chunkKey(path, index), Buffer.from(bytes));
  } catch (error) {
    throw error instanceof FreshetError ? error.at({ path }) : error;
  }
}

function keyOf(path: string, name: string): string {
  return path === "/" ? name : `${path.slice(1)}/${name}`;
}

function chunkKey(path: string, index: readonly number[]): string {
  return [path.slice(1), "c", ...index].join("/");
}
