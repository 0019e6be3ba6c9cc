import { open, rename, rm } from "node:fs/promises";
import { FreshetError } from "../errors/index.ts";

/** One write takes about as long for this much as for a byte. */
const WRITE_CHARACTERS = 256 * 1024;

/**
 * Writes a file from pieces of text; it is there in full or not at all.
 * @throws FreshetError `storage` when it cannot be written.
 */
export async function replaceFile(path: string, pieces: Iterable<string>): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  try {
    const file = await open(partial, "w");
    try {
      let text = "";
      for (const piece of pieces) {
        text += piece;
        if (text.length < WRITE_CHARACTERS) continue;
        await file.appendFile(text);
        text = "";
      }
      await file.appendFile(text);
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    throw new FreshetError("storage", "the file cannot be written", { found: (error as Error).message, path, cause: error });
  }
}
