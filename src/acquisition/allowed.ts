import type { Source } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";

/**
 * The announced uri in its normal form, if the source may announce it.
 * What is compared is what would be fetched: dots and escapes are resolved first, so `…/ok/../secret` is not below `…/ok/`.
 * @throws FreshetError `source-refused` for a uri outside the source's prefixes, or one that is none.
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
  if (/%2f|%5c|\0|%00/i.test(url.pathname)) return refuse(url.href);
  return prefixes.some((prefix) => url.href.startsWith(prefix)) ? url.href : refuse(url.href);
}
