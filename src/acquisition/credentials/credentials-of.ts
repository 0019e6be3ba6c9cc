import type { Source } from "../../dataset/index.ts";
import { FreshetError } from "../../errors/index.ts";
import type { HttpCredentials, S3KeyGiver } from "../../storage/index.ts";
import { keyGiverOf } from "./earthdata-buckets.ts";
import { TemporaryKeys } from "./temporary-keys.ts";
import { hostsOf, WebCredentials } from "./web-credentials.ts";

/** Of this process, by what they are for: cookies and keys are shared by all who read a source. */
const web = new Map<string, WebCredentials>();
const givers = new Map<string, TemporaryKeys>();

/** Who asks for a place of a source. Nothing is fetched yet. Empty for a source without credentials: then S3 has those of the environment. */
export function credentialsOf(
  source: Source,
  uri: string,
): { readonly credentials?: HttpCredentials; readonly s3Keys?: S3KeyGiver } {
  if (source.credentials === undefined) return {};
  if (/^https?:/.test(uri)) return { credentials: webCredentials(source, hostsOf(source)) };
  const s3Keys = keysFor(source, uri);
  return s3Keys === undefined ? {} : { s3Keys };
}

/**
 * Who gives the keys for a place of S3; undefined where they are the environment's.
 * @throws FreshetError `dataset-file` for a bucket of which nobody knows who gives them.
 */
export function keysFor(source: Source, uri: string): S3KeyGiver | undefined {
  const { credentials, s3 } = source;
  if (credentials?.kind !== "earthdata" || !uri.startsWith("s3:") || s3?.anonymous === true) return undefined;
  const bucket = new URL(uri).hostname;
  const url = credentials.s3 ?? keyGiverOf(bucket);
  if (url === undefined) {
    throw new FreshetError("dataset-file", "it is not known where keys for this bucket are given", {
      found: bucket,
      path: `sources.${source.name}.credentials`,
      remedy: "Name it in the dataset file: credentials: { earthdata: { s3: https://…/s3credentials } }",
    });
  }
  const id = JSON.stringify([credentials, url]);
  let giver = givers.get(id);
  if (giver === undefined) {
    giver = new TemporaryKeys(url, id, webCredentials(source, new Set([new URL(url).host])));
    givers.set(id, giver);
  }
  return giver;
}

function webCredentials({ credentials }: Source, hosts: ReadonlySet<string>): WebCredentials {
  const id = JSON.stringify([credentials, [...hosts].sort()]);
  let known = web.get(id);
  if (known === undefined) {
    known = new WebCredentials(credentials as NonNullable<Source["credentials"]>, hosts);
    web.set(id, known);
  }
  return known;
}
