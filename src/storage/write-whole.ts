import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { inFolder } from "./make-folder.ts";

/**
 * Writes a file that is there whole or not at all, in a folder that is made where it is missing. When it resolves, the bytes
 * are on disk. A crash leaves at most a hidden file of its own.
 */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${randomUUID()}`);
  try {
    const file = await inFolder(folder, () => open(temporary, "wx"));
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}
