import { encodeName, type Place, placeOfUri } from "./place.ts";
import { quote } from "./quote.ts";

/**
 * The place of a file that Sarracenia announces: base and path with exactly one slash between them. The path is a path, not yet
 * a part of a uri, but escapes that stand in it are left as they are.
 */
export function placeOfFile(baseUrl: string, relPath: string): Place {
  if (baseUrl.includes("?") || baseUrl.includes("#")) return { refused: `the base ${quote(baseUrl)} has a query or a fragment` };
  if (relPath.includes("\\")) return { refused: `the path ${quote(relPath)} has characters that no uri has` };
  const path = relPath.replace(/^\/+/, "");
  if (path === "" || path.endsWith("/")) return { refused: `${quote(relPath)} is a folder` };
  const encoded = path.replace(/%[0-9a-f]{2}|[^%]+|%/gi, (part) => (/^%[0-9a-f]{2}$/i.test(part) ? part : encodeName(part)));
  return placeOfUri(`${withoutLastSlashes(baseUrl)}/${encoded}`);
}

/** Real messages have slashes on both sides of the joint. (A regular expression would look at each slash of a long row again.) */
function withoutLastSlashes(base: string): string {
  let end = base.length;
  while (base[end - 1] === "/") end--;
  return base.slice(0, end);
}
