import { access, mkdir, stat } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";

/**
 * Makes a folder with those above it, as `mkdir -p` does. Where that fails because nothing can be written there, Node answers
 * ENOENT on some file systems; then the first folder that is missing is tried by itself, so that the error is the true one
 * (EROFS, EACCES).
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    let existing = dirname(path);
    while (
      existing !== dirname(existing) &&
      !(await access(existing).then(
        () => true,
        () => false,
      ))
    )
      existing = dirname(existing);
    if (!(await stat(existing)).isDirectory()) throw error;
    await mkdir(join(existing, relative(existing, path).split(sep)[0] as string));
    throw error;
  }
}

/** Does what wants a folder to be there, and makes it only where it is missing: looking first would be half of what a small file costs. */
export async function inFolder<Result>(folder: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    await makeFolder(folder);
    return act();
  }
}
