import { FreshetError } from "../errors/index.ts";

/** An object's place. */
export interface S3Place {
  readonly bucket: string;
  readonly key: string;
}

/**
 * The uri of an object, `s3://bucket/key`, as a URL: %, ? and # of the key are escaped, and what a URL cannot hold. Undefined for a key
 * that no URL can say (`a/../b`).
 */
export function s3Uri({ bucket, key }: S3Place): string | undefined {
  const uri = `s3://${bucket}/${key.replace(/[%?#\\]/g, encodeURIComponent)}`;
  if (!URL.canParse(uri)) return undefined;
  const { href } = new URL(uri);
  return placeIn(href)?.key === key ? href : undefined;
}

/** The object that a uri names; a key that is empty or ends in `/` is a prefix. @throws FreshetError `usage` for what is no such uri. */
export function s3Place(uri: string): S3Place {
  const place = placeIn(uri);
  if (place !== undefined) return place;
  throw new FreshetError("usage", "not the address of an object", { found: JSON.stringify(uri), expected: "s3://bucket/key" });
}

function placeIn(uri: string): S3Place | undefined {
  if (!URL.canParse(uri)) return undefined;
  const { protocol, hostname, pathname, search, hash, username, password, port } = new URL(uri);
  if (protocol !== "s3:" || hostname === "" || `${search}${hash}${username}${password}${port}` !== "") return undefined;
  try {
    return { bucket: decodeURIComponent(hostname), key: decodeURIComponent(pathname.slice(1)) };
  } catch {
    return undefined;
  }
}
