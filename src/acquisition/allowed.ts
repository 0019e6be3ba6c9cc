import type { Source } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";

/**
 * The announced uri in its normal form, if the source may announce it.
 * What is compared is what would be fetched: dots and escapes are resolved first, so `…/ok/../secret` is not below `…/ok/`.
 * @throws FreshetError `source-refused` for a uri outside the source's prefixes, one that is none, or one with a query string:
 *   that of a presigned URL is a secret, and uris go into Temporal, logs and references. The error does not show it.
 */
export function allowedUri(source: Source, announced: string): string {
  const prefixes = [source.at, ...source.allow];
  const refuse = (found: string): never => {
    throw new FreshetError("source-refused", "the announced place is not one that this source may name", {
      found,
      expected: `below ${prefixes.join(" or ")}`,
      remedy: "If it is right, add its prefix to the source (allow) in the dataset file",
    });
  };
  if (!URL.canParse(announced)) return refuse(JSON.stringify(announced.slice(0, 200)));
  const url = new URL(announced);
  url.hash = "";
  if (url.username !== "" || url.password !== "") return refuse("a uri with credentials in it");
  if (url.search !== "") {
    url.search = "";
    throw new FreshetError("source-refused", "an announced uri may not have a query string, which may hold a secret", {
      found: `${url.href}?…`,
      expected: "a uri without ?",
      remedy: "Announce the uri without it; a ? in a name is written %3F",
    });
  }
  if (/%2f|%5c|\0|%00/i.test(url.pathname)) return refuse(url.href);
  return prefixes.some((prefix) => url.href.startsWith(prefix)) ? url.href : refuse(url.href);
}
