import { fileURLToPath } from "node:url";
import type { Credentials, VirtualChunkContainer } from "@earthmover/icechunk";
import { FreshetError } from "../../errors/index.ts";
import { AWS, type S3Connection, type S3Keys } from "../../storage/index.ts";

/**
 * The prefix under which Icechunk is allowed to read virtual chunks of a source. Icechunk takes only prefixes that are
 * plain ASCII as a URL; of one that is not (a folder with a space in its name) the part above that folder is taken.
 * @param source `https://…`, `http://…`, `s3://bucket/…` or `file:///…`.
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

/**
 * The container and the authorization with which the store is opened, by prefix.
 * @param s3 how `s3:` is reached. Where it is, and how, goes into the store for its readers; credentials never do.
 * @param keys those of S3, by prefix; the others are those of the environment.
 */
export function containersFor(
  prefixes: readonly string[],
  s3: S3Connection = AWS,
  keys: Readonly<Record<string, S3Keys>> = {},
): {
  readonly containers: Record<string, VirtualChunkContainer>;
  readonly authorization: Record<string, Credentials | null>;
} {
  const containers: Record<string, VirtualChunkContainer> = {};
  const authorization: Record<string, Credentials | null> = {};
  for (const prefix of prefixes) {
    containers[prefix] = { urlPrefix: prefix, store: storeOf(prefix, s3) };
    authorization[prefix] = authorizationOf(prefix, s3, keys[prefix]);
  }
  return { containers, authorization };
}

function storeOf(prefix: string, s3: S3Connection): VirtualChunkContainer["store"] {
  if (prefix.startsWith("file:")) return { type: "LocalFileSystem", field0: fileURLToPath(prefix) };
  if (!prefix.startsWith("s3:")) return { type: "Http", field0: { opts: {}, headers: {} } };
  const { endpoint, region, anonymous, pathStyle } = s3;
  const options = { region, anonymous, forcePathStyle: pathStyle };
  if (endpoint === undefined) return { type: "S3", field0: options };
  const allowHttp = endpoint.startsWith("http:");
  return { type: "S3Compatible", field0: { ...options, endpointUrl: endpoint, allowHttp } };
}

function authorizationOf(prefix: string, { anonymous }: S3Connection, keys: S3Keys | undefined): Credentials | null {
  if (prefix.startsWith("file:")) return null;
  if (!prefix.startsWith("s3:")) return { type: "HttpAccess" };
  if (keys !== undefined && !anonymous) {
    const { expiration, ...lasting } = keys;
    const field0 = { ...lasting, ...(expiration === undefined ? {} : { expiresAfter: expiration }) };
    return { type: "S3", field0: { type: "Static", field0 } };
  }
  return { type: "S3", field0: { type: anonymous ? "Anonymous" : "FromEnv" } };
}
