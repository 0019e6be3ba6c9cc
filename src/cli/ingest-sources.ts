import { glob, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { FreshetError } from "../errors/index.ts";

/**
 * What the words of `freshet ingest` name, as uris: URLs as they are, paths, and globs (`*`, `?`, `[…]`, `**`) of paths.
 * @throws FreshetError `source-missing` for a path or glob that names nothing; `unknown-format` for a folder or an empty file.
 */
export async function ingestUris(words: readonly string[]): Promise<string[]> {
  const uris: string[] = [];
  for (const word of words) {
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(word)) {
      uris.push(word);
      continue;
    }
    const paths = /[*?[]/.test(word) ? (await Array.fromAsync(glob(word))).sort() : [word];
    if (paths.length === 0) throw new FreshetError("source-missing", "no file matches", { path: word });
    for (const path of paths) uris.push(await fileUri(path));
  }
  return uris;
}

async function fileUri(path: string): Promise<string> {
  const facts = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new FreshetError("source-missing", "there is no such file", { path, remedy: "Check the path", cause });
  });
  if (facts.isDirectory()) {
    throw new FreshetError("unknown-format", "this is a folder, not a granule", {
      path,
      remedy: `Name its files: '${path.replace(/\/$/, "")}/*'`,
    });
  }
  if (facts.size === 0) {
    throw new FreshetError("unknown-format", "this file is empty", { path, remedy: "Fetch it again" });
  }
  return pathToFileURL(resolve(path)).href;
}
