import { FreshetError } from "../errors/index.ts";
import { openFileReader } from "./file-reader.ts";
import type { S3KeyGiver } from "./http-credentials.ts";
import { type HttpReaderOptions, openHttpReader } from "./http-reader.ts";
import type { RangeReader } from "./range-reader.ts";
import type { S3Connection } from "./s3-client.ts";
import { openS3Reader } from "./s3-reader.ts";

/** Limits, retries and the signal hold for HTTP and S3; headers and redirects are for HTTP. */
export interface ReaderOptions extends HttpReaderOptions {
  /** How `s3:` is reached. Default: AWS in us-east-1, with the credentials of the environment. */
  readonly s3?: S3Connection | undefined;
  /** Whose keys `s3:` is asked with. Default: those of the environment. */
  readonly s3Keys?: S3KeyGiver | undefined;
}

/**
 * Opens what a uri names: a local path, `file:`, `http:`, `https:` or `s3:`.
 * @throws FreshetError `usage` for another scheme, and what the reader of the scheme throws.
 */
export async function openReader(uri: string, options: ReaderOptions = {}): Promise<RangeReader> {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase();
  switch (scheme) {
    case undefined:
    case "file":
      return openFileReader(uri);
    case "http":
    case "https":
      return openHttpReader(uri, options);
    default:
      // `run:12.nc` is a file name, and so is a bucket's dump called `s3:x`; a scheme is followed by //.
      if (!uri.includes("://")) return openFileReader(uri);
      if (scheme === "s3") return openS3Reader(uri, options);
      throw new FreshetError("usage", "this kind of address cannot be read", {
        found: `${scheme}:`,
        expected: "a path, file:, http:, https: or s3:",
        remedy: scheme === "gs" || scheme === "az" ? "Name the object by its https: address" : undefined,
      });
  }
}
