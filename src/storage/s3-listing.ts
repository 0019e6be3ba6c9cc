import { requestTurn } from "./host-turns.ts";
import type { S3KeyGiver } from "./http-credentials.ts";
import type { ListedFile, ListedPage } from "./listed-page.ts";
import { AWS, openS3, type S3Connection, s3Host } from "./s3-client.ts";
import { s3Error } from "./s3-error.ts";
import { s3Place, s3Uri } from "./s3-uri.ts";
import type { SourceLimits } from "./source-limits.ts";

/**
 * A page of the objects whose keys begin with a prefix, in the order of their keys' bytes: 1000 at most.
 * @param prefix `s3://bucket/…/`.
 * @param after the key after which the page begins (exclusive); undefined: from the first.
 * @throws FreshetError as the reader's opening.
 */
export async function listS3Page(
  prefix: string,
  after: string | undefined,
  {
    s3 = AWS,
    s3Keys,
    limits,
    signal,
  }: {
    readonly s3?: S3Connection | undefined;
    readonly s3Keys?: S3KeyGiver | undefined;
    readonly limits?: SourceLimits | undefined;
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<ListedPage> {
  const { bucket, key } = s3Place(prefix);
  const release = await requestTurn(s3Host(bucket, s3), limits, signal);
  try {
    const { sdk, client } = await openS3(s3, limits, s3Keys);
    const command = new sdk.ListObjectsV2Command({
      Bucket: bucket,
      Prefix: key,
      ...(after === undefined ? {} : { StartAfter: after }),
    });
    const { Contents = [], IsTruncated } = await client.send(command, signal === undefined ? {} : { abortSignal: signal });
    const files: ListedFile[] = [];
    for (const { Key = "", Size, ETag, LastModified } of Contents) {
      // What ends in a slash is a folder that somebody's console has made.
      const uri = Key.endsWith("/") ? undefined : s3Uri({ bucket, key: Key });
      if (uri !== undefined) files.push({ uri, size: Size, etag: ETag, lastModifiedMs: LastModified?.getTime() });
    }
    const last = Contents.at(-1)?.Key;
    return { files, folders: [], next: IsTruncated === true ? last : undefined, passedOver: Contents.length - files.length };
  } catch (error) {
    throw s3Error(error, prefix, signal);
  } finally {
    release();
  }
}
