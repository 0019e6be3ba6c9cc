import type { S3Access, Source } from "../dataset/index.ts";
import { FreshetError, isFreshetError } from "../errors/index.ts";
import { parseSecretReference, secrets } from "../secrets/index.ts";
import { AWS, openReader, type RangeReader, type ReaderOptions, type S3Connection } from "../storage/index.ts";
import { credentialsOf } from "./credentials/credentials-of.ts";
import { tokenOf } from "./credentials/web-credentials.ts";

/**
 * Opens a place of a source as its dataset file says that it is reached.
 * @throws FreshetError as `openReader`; `usage` where a named secret is not set, `unreachable` where who keeps it does not answer.
 */
export async function openSource(
  source: Source,
  uri: string,
  signal?: AbortSignal,
  options: Pick<ReaderOptions, "isForCopy" | "firstBytes" | "retry"> = {},
): Promise<RangeReader> {
  const open = async () => openReader(uri, { ...(await accessOf(source, uri, signal)), ...options });
  try {
    return await open();
  } catch (error) {
    const token = source.credentials && tokenOf(source.credentials);
    if (!isFreshetError(error, "source-refused") || !(await secrets.refused([token]))) throw error;
    // The token is another one now.
    return open();
  }
}

/** How a place of a source, or our own copy, is asked for: credentials, limits, and the signal that ends it. @throws FreshetError as `s3ConnectionOf`. */
export async function accessOf(source: Source, uri: string, signal?: AbortSignal): Promise<ReaderOptions> {
  const { mirror } = source;
  const ended = signal === undefined ? {} : { signal };
  // Our own copies are our own business: with the environment's keys, and no limits of the source's hosts.
  if (mirror?.startsWith("s3:") && uri.startsWith(mirror)) return { s3: await mirrorConnectionOf(source), ...ended };
  return {
    s3: await s3ConnectionOf(source),
    ...credentialsOf(source, uri),
    limits: source.limits,
    ...ended,
  };
}

/**
 * How a source's objects are reached, with the endpoint that a reference stands for; undefined where it says nothing of it.
 * @throws FreshetError `usage` where that is not set, or no URL that may be written into stores; `unreachable`.
 */
export async function s3ConnectionOf({ s3 }: Pick<Source, "s3">): Promise<S3Connection | undefined> {
  return s3 && connectionOf(s3);
}

/** The same of its mirror in S3. @throws FreshetError as `s3ConnectionOf`. */
export async function mirrorConnectionOf({ mirrorS3 }: Source): Promise<S3Connection> {
  return mirrorS3 === undefined ? AWS : connectionOf(mirrorS3);
}

/** How references of a source's products are reached, where they are of S3. @throws FreshetError as `s3ConnectionOf`. */
export async function referenceConnectionOf(source: Source): Promise<S3Connection | undefined> {
  if (source.mirror === undefined) return s3ConnectionOf(source);
  return source.mirrorS3 && mirrorConnectionOf(source);
}

async function connectionOf(s3: S3Access): Promise<S3Connection> {
  if (s3.endpoint === undefined) return s3;
  const reference = parseSecretReference(s3.endpoint);
  if (reference === undefined) return s3;
  const endpoint = await secrets.resolve(reference);
  if (isService(endpoint)) return { ...s3, endpoint };
  throw new FreshetError("usage", `the endpoint ${reference.text} cannot be used`, {
    found: "a text that is not shown",
    expected: "https://… or http://… without credentials or query: it is written into stores, for their readers",
    remedy: "Correct the secret",
  });
}

function isService(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && hostname !== "" && `${username}${password}${search}${hash}` === "";
}
