import { copyFile, link, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolder } from "../../storage/index.ts";

/** The files of a version that is there whole. */
export interface FormFiles {
  /** Where it is, for people. */
  readonly place: string;
  /** @param path below the version, with `/`. Undefined where there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /**
   * Makes a file part of the version that is being written in the folder `into`, unchanged and under the same path.
   * @returns false where there is none.
   */
  takeOver(path: string, into: string): Promise<boolean>;
}

/** A version in a folder: what is taken over becomes one file under two names, where the file system can. */
export function folderFiles(folder: string): FormFiles {
  const orUndefined = async <T>(answer: Promise<T>): Promise<T | undefined> => {
    try {
      return await answer;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  };
  return {
    place: folder,
    read: (path) => orUndefined(readFile(join(folder, path))),
    async takeOver(path, into) {
      const [from, to] = [join(folder, path), join(into, path)];
      await makeFolder(dirname(to));
      const linked = link(from, to).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") throw error;
        return copyFile(from, to);
      });
      return (await orUndefined(linked.then(() => true))) ?? false;
    },
  };
}
