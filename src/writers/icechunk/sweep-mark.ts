import { FreshetError } from "../../errors/index.ts";
import type { StoreFolder } from "./store-folder.ts";

/** Says up to which time upkeep has been through the store. */
const PATH = ".swept";

/**
 * The time before which whatever no version used has been removed: what a publication wrote earlier than this, and had not
 * published by then, may be gone. Read and written while the store's lock is held; in the file system's milliseconds since 1970.
 * @throws FreshetError `corrupt`.
 */
export async function sweptUntil(folder: StoreFolder): Promise<number> {
  const text = (await folder.read(PATH))?.toString("utf8");
  if (text === undefined) return Number.NEGATIVE_INFINITY;
  const time = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(time)) {
    throw new FreshetError("corrupt", "the mark of the store's last upkeep is not a time", {
      found: text.slice(0, 40),
      uri: folder.locate(PATH),
      remedy: "Remove the file while nothing is published",
    });
  }
  return time;
}

/** Moves the mark forward. */
export async function markSwept(folder: StoreFolder, cutoffMs: number): Promise<void> {
  if (cutoffMs > (await sweptUntil(folder))) await folder.write(PATH, Buffer.from(String(Math.max(0, cutoffMs))));
}
