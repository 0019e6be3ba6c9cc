import { type ErrorKind, FreshetError } from "../../errors/index.ts";

/** The binding throws plain errors; only their message says what happened (reference: icechunk, section 8). */
const MEANINGS: readonly (readonly [RegExp, ErrorKind, summary: string, remedy: string])[] = [
  [/branch update conflict/, "conflict", "another version was published meanwhile", "Read the store again and make a new plan"],
  [/cannot rebase/, "conflict", "another version was published meanwhile", "Read the store again and make a new plan"],
  [
    /checksum of the object owning the virtual chunk has changed/,
    "source-changed",
    "a source changed after it was scanned",
    "Announce the granule again",
  ],
  [
    /not enough data/,
    "source-changed",
    "a source has become shorter than it was when it was scanned",
    "Announce the granule again",
  ],
  [/^snapshot id not found|^Invalid ObjectId/, "usage", "there is no such version", "See the list of versions"],
  [
    /^(ref|branch) not found|^branch already exists/,
    "conflict",
    "somebody else works on the same branch",
    "Read the store again and make a new plan",
  ],
  [/ENOSPC|no space left/i, "storage", "the store's disk is full", "Free some space; Freshet goes on by itself"],
  [
    /EACCES|EPERM|EROFS|permission denied|read-only/i,
    "storage",
    "the store cannot be written",
    "Give Freshet write permission to the folder",
  ],
  [/ENOTDIR|EEXIST/, "storage", "the store's folder cannot be used", "Choose a folder that is empty or holds this dataset"],
  [/clean prefix/, "storage", "the store's folder holds something else", "Choose an empty folder"],
];

/** What the binding's error means, as one of ours. Ours pass through. */
export function storeError(error: unknown, folder: string): FreshetError {
  if (error instanceof FreshetError) return error;
  const message = error instanceof Error ? error.message : String(error);
  for (const [pattern, kind, summary, remedy] of MEANINGS) {
    if (pattern.test(message))
      return new FreshetError(kind, summary, { found: firstLine(message), uri: folder, remedy, cause: error });
  }
  return new FreshetError("storage", "the store did not do what was asked", {
    found: firstLine(message),
    uri: folder,
    cause: error,
  });
}

function firstLine(message: string): string {
  return (message.split("\n")[0] as string).slice(0, 300);
}
