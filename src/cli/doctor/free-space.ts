import { access, constants, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { FreshetError } from "../../errors/index.ts";
import { describeBytes } from "../table.ts";

/** Below this a store, a mirror or a ledger may be full before anybody looks again. */
const LEAST_FREE_BYTES = 1_000_000_000;

/**
 * A folder that this process may write to, or make: `FOLDER, 12 GB free`.
 * @throws FreshetError `storage` where it may not, where a file is in the way, or where the disk is nearly full.
 */
export async function writableFolder(folder: string): Promise<string> {
  const existing = await nearest(folder);
  const refused = (summary: string, found: string, remedy: string): FreshetError =>
    new FreshetError("storage", summary, { found, uri: folder, remedy });
  if (!(await stat(existing)).isDirectory()) {
    throw refused("a file is in the way of a folder", existing, "Name another folder, or move the file");
  }
  await access(existing, constants.W_OK | constants.X_OK).catch((cause: NodeJS.ErrnoException) => {
    throw refused(
      "the folder cannot be written to",
      `${cause.code}, ${existing}`,
      "Name another folder, or give this user the right to write there",
    );
  });
  const { bavail, bsize } = await statfs(existing);
  const free = bavail * bsize;
  if (free < LEAST_FREE_BYTES) {
    throw refused("the disk is nearly full", `${describeBytes(free)} free`, "Make room, or name a folder on another disk");
  }
  return `${folder}, ${describeBytes(free)} free`;
}

/** The folder, or the first above it that is there. */
async function nearest(folder: string): Promise<string> {
  for (let at = folder; at !== dirname(at); at = dirname(at)) {
    const isThere = await stat(at).then(
      () => true,
      () => false,
    );
    if (isThere) return at;
  }
  return "/";
}
