import { fileURLToPath } from "node:url";

/** Prefixes of uris and what stands for each in references. */
export type UriMap = Readonly<Record<string, string>>;

/**
 * A `file:` uri as fsspec understands it, which takes what follows `file://` as the path and decodes nothing; other uris
 * unchanged.
 */
export function plainUri(uri: string): string {
  return uri.startsWith("file:") ? `file://${fileURLToPath(uri)}` : uri;
}

/** Uris as references name them: the longest prefix that the map has replaced, then `plainUri`. */
export function mappedUri(map: UriMap): (uri: string) => string {
  const prefixes = Object.entries(map).sort(([a], [b]) => b.length - a.length);
  return (uri) => {
    const [prefix, replacement] = prefixes.find(([candidate]) => uri.startsWith(candidate)) ?? ["", ""];
    return plainUri(`${replacement}${uri.slice(prefix.length)}`);
  };
}
