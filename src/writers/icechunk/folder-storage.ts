import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Storage, StorageVersionInfo } from "@earthmover/icechunk";
import { makeFolder } from "../../storage/index.ts";
import { loadIcechunk } from "./load-binding.ts";
import type { StoreFolder } from "./store-folder.ts";

type Backend = Parameters<typeof Storage.newCustom>[0];

/**
 * Icechunk's storage in a local folder, with real conditional writes. The binding's own folder storage loses commits that
 * it reported as done when two writers meet (reference: icechunk, section 0.2); here a conditional put compares the
 * sha256 of what is there, under a lock that all processes share, and every object appears whole by rename.
 */
export function folderStorage(folder: StoreFolder): Storage {
  return loadIcechunk().Storage.newCustom(folderBackend(folder));
}

/** The callbacks behind `folderStorage`; the binding calls them with a leading null (error-first). */
export function folderBackend(folder: StoreFolder): Backend {
  const backend = {
    canWrite: async () => true,

    getObjectRange: async (_: null, { path, rangeStart, rangeEnd }: { path: string; rangeStart?: number; rangeEnd?: number }) => {
      const bytes = (await folder.read(path)) ?? notFound(path);
      return { data: bytes.subarray(rangeStart ?? 0, rangeEnd ?? bytes.length), version: versionOf(bytes) };
    },

    getObjectConditional: async (_: null, { path, previousVersion }: { path: string; previousVersion?: StorageVersionInfo }) => {
      const bytes = (await folder.read(path)) ?? notFound(path);
      const version = versionOf(bytes);
      if (previousVersion?.etag === version.etag) return { kind: "on_latest_version" };
      return { kind: "modified", data: bytes, newVersion: version };
    },

    putObject: async (_: null, put: { path: string; data: Buffer; previousVersion?: StorageVersionInfo }) => {
      const updated = { kind: "updated", newVersion: versionOf(put.data) };
      const expected = put.previousVersion;
      if (expected === undefined) {
        await folder.write(put.path, put.data);
        return updated;
      }
      const target = folder.locate(put.path);
      await makeFolder(folder.root);
      return folder.lock.hold(async () => {
        const present = await folder.read(put.path);
        const presentEtag = present === undefined ? undefined : versionOf(present).etag;
        if (presentEtag !== expected.etag) return { kind: "not_on_latest_version" };
        await folder.write(put.path, put.data);
        // What everybody sees from now on must still be there after a power cut; the ledger's word of it will be.
        await syncFolder(dirname(target));
        return updated;
      });
    },

    copyObject: async (_: null, { from, to }: { from: string; to: string }) => {
      if (!(await folder.copy(from, to))) notFound(from);
      return { kind: "updated", newVersion: versionOf((await folder.read(to)) ?? notFound(to)) };
    },

    listObjects: async (_: null, prefix: string) =>
      (await folder.list(prefix))
        .filter(({ path }) => !path.slice(path.lastIndexOf("/") + 1).startsWith("."))
        .map(({ path, modified, bytes }) => ({ id: path, createdAt: modified, sizeBytes: bytes })),

    deleteBatch: async (_: null, { prefix, batch }: { prefix: string; batch: { id: string; size: number }[] }) => {
      for (const { id } of batch) await folder.remove(join(prefix, id));
      return { deletedObjects: batch.length, deletedBytes: batch.reduce((sum, item) => sum + item.size, 0) };
    },

    getObjectLastModified: async (_: null, path: string) => ((await folder.facts(path)) ?? notFound(path)).modified,
  };
  // The declared types leave out the leading null that the binding passes.
  return backend as unknown as Backend;
}

function versionOf(bytes: Uint8Array): { etag: string } {
  return { etag: createHash("sha256").update(bytes).digest("hex") };
}

/** The binding looks for this word in the message of a thrown error. */
function notFound(path: string): never {
  throw new Error(`ObjectNotFound: ${path}`);
}

/** Makes the names in a folder durable. Windows cannot open one, and does not need to. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
