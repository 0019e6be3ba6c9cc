import { glob, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { FreshetError } from "../errors/index.ts";

export interface ScanFile {
  /** A path, or a URL. */
  readonly file: string;
  /** Found by looking into a folder: it need not be a file that can be scanned. */
  readonly isFromFolder: boolean;
}

/** Their names alone take some hundred megabytes. */
const MOST_FILES = 1_000_000;

/**
 * What the arguments of `freshet scan` mean: files and URLs stand for themselves, a folder for all files below it but hidden ones,
 * a pattern (`*`, `?`, `[…]`, `**`) for what it matches. In order.
 * @throws FreshetError `source-missing` for a folder or pattern that gives nothing.
 */
export async function filesToScan(args: readonly string[]): Promise<ScanFile[]> {
  const files: ScanFile[] = [];
  for (const arg of args) {
    for await (const file of meaningOf(arg)) {
      if (files.length >= MOST_FILES) throw new FreshetError("usage", "too many files", { found: `more than ${MOST_FILES}` });
      files.push(file);
    }
  }
  return files;
}

async function* meaningOf(arg: string): AsyncGenerator<ScanFile> {
  const facts = /^[a-z][a-z0-9+.-]*:\/\//i.test(arg) ? undefined : await stat(arg).catch(() => undefined);
  if (facts?.isDirectory() === true) {
    yield* orNothing(below(arg), arg, "a folder without files");
    return;
  }
  if (facts !== undefined || arg.includes("://") || !/[*?[]/.test(arg)) {
    yield { file: arg, isFromFolder: false };
    return;
  }
  yield* orNothing(matching(arg), arg, "no file that the pattern matches");
}

async function* orNothing(files: AsyncIterable<ScanFile>, arg: string, found: string): AsyncGenerator<ScanFile> {
  let some = false;
  for await (const file of files) {
    some = true;
    yield file;
  }
  if (!some) throw new FreshetError("source-missing", "there is nothing to scan", { found, uri: arg });
}

async function* below(folder: string): AsyncGenerator<ScanFile> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* below(path);
    else if (entry.isFile() || (entry.isSymbolicLink() && (await isFile(path)))) yield { file: path, isFromFolder: true };
  }
}

async function* matching(pattern: string): AsyncGenerator<ScanFile> {
  const paths: string[] = [];
  for await (const path of glob(pattern)) if (await isFile(path)) paths.push(path);
  for (const file of paths.sort()) yield { file, isFromFolder: false };
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

/**
 * Where the output for each of several files goes in a folder: the file's name with `.json`. @throws FreshetError `usage` where two
 * files have one name.
 */
export function outputNames(files: readonly string[], folder: string): Map<string, string> {
  const names = new Map<string, string>();
  const taken = new Map<string, string>();
  for (const file of files) {
    const name = `${basename(file.replace(/[?#].*$/, ""))}.json`;
    const other = taken.get(name);
    if (other !== undefined)
      throw new FreshetError("usage", "two files would be written to one", { found: `${other} and ${file}`, expected: name });
    taken.set(name, file);
    names.set(file, join(folder, name));
  }
  return names;
}
