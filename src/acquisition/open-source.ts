import { parseSecretReference, resolveSecret, type Source } from "../dataset/index.ts";
import { openReader, type RangeReader, type S3Connection } from "../storage/index.ts";

/**
 * Opens a place of a source as its dataset file says that it is reached.
 * @throws FreshetError as `openReader`; `usage` where a named secret is not set.
 */
export function openSource(source: Source, uri: string, signal?: AbortSignal): Promise<RangeReader> {
  return openReader(uri, { s3: s3ConnectionOf(source), ...(signal === undefined ? {} : { signal }) });
}

/** How a source's objects are reached, secrets resolved; undefined where it says nothing of it. @throws FreshetError `usage`. */
export function s3ConnectionOf({ s3 }: Source): S3Connection | undefined {
  if (s3?.endpoint === undefined) return s3;
  const reference = parseSecretReference(s3.endpoint);
  return reference === undefined ? s3 : { ...s3, endpoint: resolveSecret(reference) };
}
