import { FreshetError } from "../errors/index.ts";
import { listFolder } from "./folder-listing.ts";
import { listHttpIndex } from "./http-index.ts";
import type { ListedPage } from "./listed-page.ts";
import type { ReaderOptions } from "./open-reader.ts";
import { listS3Page } from "./s3-listing.ts";

/**
 * A page of what is below a folder: all of it for `s3:`, page by page; what is directly in it for `file:` and `http(s):`, in one page.
 * @param folder a uri that ends in `/`.
 * @param after what the page before said (`next`); undefined: the first page.
 * @throws FreshetError `source-missing` for a folder that is not there; `usage` for another scheme, and what the listing of the scheme throws.
 */
export async function listPage(folder: string, after: string | undefined, options: ReaderOptions = {}): Promise<ListedPage> {
  const { protocol } = new URL(folder);
  switch (protocol) {
    case "s3:":
      return listS3Page(folder, after, options);
    case "http:":
    case "https:":
      return listHttpIndex(folder, options);
    case "file:":
      return listFolder(folder, options);
    default:
      throw new FreshetError("usage", "this kind of place cannot be listed", {
        found: protocol,
        expected: "file:, http:, https: or s3:",
      });
  }
}
