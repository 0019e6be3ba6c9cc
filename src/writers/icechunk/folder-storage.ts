import { createHash } from "node:crypto";
import { open, readdir, readFile, rm, stat } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import type { Storage, StorageVersionInfo } from "@earthmover/icechunk";
import { FreshetError } from "../../errors/index.ts";
import { makeFolder, writeWhole } from "../../storage/index.ts";
import { FolderLock } from "./folder-lock.ts";
import { loadIcechunk } from "./load-binding.ts";

type Backend = Parameters<typeof Storage.newCustom>[0];

/**
 * Icechunk's storage in a local folder, with real conditional writes. The binding's own folder storage loses commits that
 * it reported as done when two writers meet (reference: icechunk, section 0.2); here a conditional put compares the
 * sha256 of what is there, under a lock that all processes share, and every object appears whole by rename.
 */
export function folderStorage(root: string): Storage {
  return loadIcechunk().Storage.newCustom(folderBackend(root));
}

/** The callbacks behind `folderStorage`; the binding calls them with a leading null (error-first). */
export function folderBackend(folder: string): Backend {
  const root = resolve(folder);
  const lock = new FolderLock(join(root, ".lock"));
  const locate = (path: string): string => {
    const full = join(root, path);
    if (full !== root && !full.startsWith(root + sep)) {
      throw new FreshetError("storage", "an object's path leads out of the store", { found: path, uri: root });
    }
    return full;
  };
  const read = async (path: string): Promise<Buffer | undefined> =>
    readFile(locate(path)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });

  const backend = {
    canWrite: async () => true,

    getObjectRange: async (_: null, { path, rangeStart, rangeEnd }: { path: string; rangeStart?: number; rangeEnd?: number }) => {
      const bytes = (await read(path)) ?? notFound(path);
      return { data: bytes.subarray(rangeStart ?? 0, rangeEnd ?? bytes.length), version: versionOf(bytes) };
    },

    getObjectConditional: async (_: null, { path, previousVersion }: { path: string; previousVersion?: StorageVersionInfo }) => {
      const bytes = (await read(path)) ?? notFound(path);
      const version = versionOf(bytes);
      if (previousVersion?.etag === version.etag) return { kind: "on_latest_version" };
      return { kind: "modified", data: bytes, newVersion: version };
    },

    putObject: async (_: null, put: { path: string; data: Buffer; previousVersion?: StorageVersionInfo }) => {
      const target = locate(put.path);
      const updated = { kind: "updated", newVersion: versionOf(put.data) };
      const expected = put.previousVersion;
      if (expected === undefined) {
        await writeWhole(target, put.data);
        return updated;
      }
      await makeFolder(root);
      return lock.hold(async () => {
        const present = await read(put.path);
        const presentEtag = present === undefined ? undefined : versionOf(present).etag;
        if (presentEtag !== expected.etag) return { kind: "not_on_latest_version" };
        await writeWhole(target, put.data);
        // What everybody sees from now on must still be there after a power cut; the ledger's word of it will be.
        await syncFolder(dirname(target));
        return updated;
      });
    },

    copyObject: async (_: null, { from, to }: { from: string; to: string }) => {
      const bytes = (await read(from)) ?? notFound(from);
      await writeWhole(locate(to), bytes);
      return { kind: "updated", newVersion: versionOf(bytes) };
    },

    listObjects: async (_: null, prefix: string) => {
      const folder = locate(prefix);
      const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return [];
        throw error;
      });
      const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith("."));
      return Promise.all(
        files.map(async (entry) => {
          const full = join(entry.parentPath, entry.name);
          const facts = await stat(full);
          return {
            id: full
              .slice(folder.length + 1)
              .split(sep)
              .join("/"),
            createdAt: facts.mtime,
            sizeBytes: facts.size,
          };
        }),
      );
    },

    deleteBatch: async (_: null, { prefix, batch }: { prefix: string; batch: { id: string; size: number }[] }) => {
      for (const item of batch) await rm(locate(join(prefix, item.id)), { force: true });
      return { deletedObjects: batch.length, deletedBytes: batch.reduce((sum, item) => sum + item.size, 0) };
    },

    getObjectLastModified: async (_: null, path: string) =>
      (
        await stat(locate(path)).catch((error: NodeJS.ErrnoException) => {
          if (error.code === "ENOENT") return notFound(path);
          throw error;
        })
      ).mtime,
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
