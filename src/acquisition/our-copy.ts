import { randomUUID } from "node:crypto";
import { pathToFileURL } from "node:url";
import type { Source } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import { type RangeReader, S3Bucket } from "../storage/index.ts";
import type { CopyOptions } from "./copy-options.ts";
import { copyToBucket, partialUploadOf } from "./copy-to-bucket.ts";
import { copyToMirror, mirrorName, mirrorPath } from "./mirror.ts";
import { mirrorConnectionOf } from "./open-source.ts";
import { partialCopyOf } from "./partial-copy.ts";

/** Which revision a copy is of. */
export interface CopiedRevision {
  readonly dataset: string;
  readonly key: string;
  readonly identity: string;
}

/** What an earlier attempt has told by `onPart` comes back unchecked. */
export type OurCopyOptions = Omit<CopyOptions<object>, "earlier"> & { readonly earlier?: unknown };

/** The uri of our copy of a revision, where it is or would be. @param mirror `file:///…/` or `s3://bucket/…/`. */
export function ourCopyUri(mirror: string, { dataset, key, identity }: CopiedRevision): string {
  if (mirror.startsWith("s3:")) return `${mirror}${dataset}/${mirrorName(key, identity)}`;
  return pathToFileURL(mirrorPath({ mirror, dataset, key, identity })).href;
}

/**
 * Copies a revision to the mirror of its source, a folder or a bucket. Answers the copy's uri.
 * @throws FreshetError `storage` when it cannot be written, `source-…` as the source answers.
 */
export async function makeOurCopy(
  reader: RangeReader,
  source: Source & { readonly mirror: string },
  revision: CopiedRevision,
  { earlier, ...options }: OurCopyOptions,
): Promise<string> {
  const { mirror } = source;
  const uri = ourCopyUri(mirror, revision);
  if (mirror.startsWith("s3:"))
    await copyToBucket(reader, await bucketOf(source), { uri, mirror }, { ...options, earlier: partialUploadOf(earlier) });
  else await copyToMirror(reader, { mirror, ...revision }, { ...options, earlier: partialCopyOf(earlier) });
  return uri;
}

/** Puts a small object into a mirror's bucket, reads it and removes it. @throws FreshetError as the bucket answers; `corrupt`. */
export async function tryBucket(source: Source & { readonly mirror: string }, signal: AbortSignal): Promise<void> {
  const bucket = await bucketOf(source);
  const uri = `${source.mirror}freshet-doctor-${randomUUID()}`;
  const bytes = Buffer.from("freshet doctor tries whether it may write here\n");
  await bucket.put(uri, bytes, true, signal);
  try {
    if (bytes.equals(await bucket.get(uri, signal))) return;
    throw new FreshetError("corrupt", "the bucket gives other bytes than were put there", { uri });
  } finally {
    await bucket.remove(uri, signal);
  }
}

async function bucketOf(source: Source): Promise<S3Bucket> {
  return new S3Bucket(await mirrorConnectionOf(source));
}
