import { fileURLToPath } from "node:url";
import type { Credentials, VirtualChunkContainer } from "@earthmover/icechunk";
import { FreshetError } from "../../errors/index.ts";

/**
 * The prefix under which Icechunk is allowed to read virtual chunks of a source. Icechunk takes only prefixes that are
 * plain ASCII as a URL; of one that is not (a folder with a space in its name) the part above that folder is taken.
 * @param source `https://…`, `http://…`, or `file:///…`.
 * @throws FreshetError `unsupported` when nothing of it can be used.
 */
export function containerPrefix(source: string): string {
  const url = new URL(source);
  const base = `${url.protocol}//${url.host}`;
  let path = url.pathname.endsWith("/") ? url.pathname : url.pathname.slice(0, url.pathname.lastIndexOf("/") + 1);
  const odd = path.search(/[^\w\-./~]/);
  if (odd >= 0) path = path.slice(0, path.lastIndexOf("/", odd) + 1);
  if (url.protocol === "file:" && path === "/") {
    throw new FreshetError("unsupported", "Icechunk cannot be given a whole file system to read from", {
      found: source,
      expected: "a folder whose first part has only letters, digits and -._~ in its name",
      remedy: "Move the folder",
    });
  }
  return `${base}${path}`;
}

/** The container and the authorization with which the store is opened, by prefix. */
export function containersFor(prefixes: readonly string[]): {
  readonly containers: Record<string, VirtualChunkContainer>;
  readonly authorization: Record<string, Credentials | null>;
} {
  const containers: Record<string, VirtualChunkContainer> = {};
  const authorization: Record<string, Credentials | null> = {};
  for (const prefix of prefixes) {
    const isFile = prefix.startsWith("file:");
    containers[prefix] = {
      urlPrefix: prefix,
      store: isFile
        ? { type: "LocalFileSystem", field0: fileURLToPath(prefix) }
        : { type: "Http", field0: { opts: {}, headers: {} } },
    };
    authorization[prefix] = isFile ? null : { type: "HttpAccess" };
  }
  return { containers, authorization };
}
