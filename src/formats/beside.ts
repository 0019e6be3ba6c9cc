import { FreshetError } from "../errors/index.ts";

/**
 * The uri of a file that the source at `uri` names: a path, relative to the source's folder as libhdf5 looks for it, or a URL.
 * `places` are the prefixes that other files may be in, each with a slash at its end; what `..` leads to is compared, not what is written.
 * @throws FreshetError `source-refused` outside of them.
 */
export function placeBeside(uri: string, name: string, places: readonly string[]): string {
  const isUrl = /^(file|https?|s3):\/\//.test(name);
  // A path is no URL: its `?`, `#` and `%` are letters, and `a:b` is no scheme.
  const path = name.split("/").map(encodeURIComponent).join("/");
  const place = new URL(isUrl ? name : name.startsWith("/") ? path.replace(/^\/+/, "/") : `./${path}`, uri).href;
  if (places.some((prefix) => prefix.endsWith("/") && place.startsWith(prefix))) return place;
  throw new FreshetError("source-refused", "the source names a file in a place that is not allowed", {
    found: place,
    expected: places.length === 0 ? "none, since no place is allowed" : places.join(" or "),
    uri,
  });
}
