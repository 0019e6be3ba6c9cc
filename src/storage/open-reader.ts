import { FreshetError } from "../errors/index.ts";
import { openFileReader } from "./file-reader.ts";
import { type HttpReaderOptions, openHttpReader } from "./http-reader.ts";
import type { RangeReader } from "./range-reader.ts";

/**
 * Opens what a uri names: a local path, `file:`, `http:` or `https:`. The options are for HTTP.
 * @throws FreshetError `usage` for another scheme, and what the reader of the scheme throws.
 */
export async function openReader(uri: string, options: HttpReaderOptions = {}): Promise<RangeReader> {
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
      throw new FreshetError("usage", "this kind of address cannot be read", {
        found: `${scheme}:`,
        expected: "a path, file:, http: or https:",
      });
  }
}
