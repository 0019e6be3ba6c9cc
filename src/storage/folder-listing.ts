import { opendir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { FreshetError } from "../errors/index.ts";
import { type ListedFile, type ListedPage, MOST_ENTRIES } from "./listed-page.ts";

/**
 * The files and folders of a folder, hidden ones aside. A link to a file is one; a link to a folder is not followed.
 * @param folder `file:///…/`.
 * @throws FreshetError `source-missing` where there is none, `source-refused`, `source-unavailable`; `unsupported` for more than 100 000 entries.
 */
export async function listFolder(
  folder: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<ListedPage> {
  const path = fileURLToPath(folder);
  const files: ListedFile[] = [];
  const folders: string[] = [];
  let entries = 0;
  try {
    for await (const entry of await opendir(path)) {
      signal?.throwIfAborted();
      if (++entries > MOST_ENTRIES) throw tooMany(folder);
      if (entry.name.startsWith(".")) continue;
      const uri = pathToFileURL(join(path, entry.name)).href;
      if (entry.isDirectory()) folders.push(`${uri}/`);
      else if (entry.isFile() || entry.isSymbolicLink()) {
        const facts = await stat(join(path, entry.name)).catch(() => undefined);
        if (facts?.isFile() === true) files.push({ uri, size: facts.size, lastModifiedMs: facts.mtimeMs });
      }
    }
  } catch (error) {
    throw folderError(error, folder);
  }
  files.sort((a, b) => (a.uri < b.uri ? -1 : 1));
  folders.sort();
  return { files, folders, next: undefined, passedOver: entries - files.length - folders.length };
}

function tooMany(folder: string): FreshetError {
  return new FreshetError("unsupported", "a folder has more entries than are looked at", {
    found: `more than ${MOST_ENTRIES}`,
    uri: folder,
    remedy: "Let the listing look below it (below) in the dataset file",
  });
}

function folderError(error: unknown, uri: string): unknown {
  if (!(error instanceof Error) || error instanceof FreshetError) return error;
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOENT":
    case "ENOTDIR":
      return new FreshetError("source-missing", "there is no such folder", { uri, cause: error });
    case "EACCES":
    case "EPERM":
      return new FreshetError("source-refused", "the folder may not be read", {
        uri,
        remedy: "Check its permissions",
        cause: error,
      });
    case undefined:
      return error;
    default:
      return new FreshetError("source-unavailable", "the folder cannot be read", { found: error.message, uri, cause: error });
  }
}
