import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const project = dirname(dirname(fileURLToPath(import.meta.url)));

/** What belongs to this checkout alone: the record, the link to its Node, the compile cache. */
export const local = join(project, ".freshet");

/** What all checkouts share: Node, the Temporal CLI, Python environments. */
export function cacheRoot(env = process.env) {
  if (env.FRESHET_CACHE) return resolve(env.FRESHET_CACHE);
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "freshet");
}

/** `env` with `folder` first in PATH. */
export function withFirstInPath(folder, env = process.env) {
  return { ...env, PATH: [folder, env.PATH].filter(Boolean).join(delimiter) };
}
