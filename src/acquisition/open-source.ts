import { parseSecretReference, resolveSecret, type Source } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import { openReader, type RangeReader, type S3Connection } from "../storage/index.ts";

/**
 * Opens a place of a source as its dataset file says that it is reached.
 * @throws FreshetError as `openReader`; `usage` where a named secret is not set.
 */
export function openSource(source: Source, uri: string, signal?: AbortSignal): Promise<RangeReader> {
  return openReader(uri, { s3: s3ConnectionOf(source), ...(signal === undefined ? {} : { signal }) });
}

/**
 * How a source's objects are reached, with the endpoint that a `${NAME}` stands for; undefined where it says nothing of it.
 * @throws FreshetError `usage` where that is not set, or no URL that may be written into stores.
 */
export function s3ConnectionOf({ s3 }: Source): S3Connection | undefined {
  if (s3?.endpoint === undefined) return s3;
  const reference = parseSecretReference(s3.endpoint);
  if (reference === undefined) return s3;
  const endpoint = resolveSecret(reference);
  if (isService(endpoint)) return { ...s3, endpoint };
  throw new FreshetError("usage", `the endpoint \${${reference.env}} cannot be used`, {
    found: "a text that is not shown",
    expected: "https://… or http://… without credentials or query: it is written into stores, for their readers",
    remedy: `Correct ${reference.env} in the environment of this process`,
  });
}

function isService(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && hostname !== "" && `${username}${password}${search}${hash}` === "";
}
