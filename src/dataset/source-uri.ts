import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Source } from "./dataset.ts";

const SCHEME = /^([a-z][a-z0-9+.-]*):/i;

export const PREFIX_FORM = "https://…, http://…, file:///… or a path, without credentials, query or fragment";
export const FOLDER_FORM = "a path or file:///…";

/** A prefix of uris in its one form: `https://host/folder/`, `file:///folder/`. Undefined for what cannot be one. */
export function parsePrefix(text: string, baseFolder: string): string | undefined {
  if (!/^https?:\/\//i.test(text)) return parseFolder(text, baseFolder);
  const url = parseUrl(text);
  if (url === undefined || url.hostname === "") return undefined;
  return url.href.endsWith("/") ? url.href : `${url.href}/`;
}

/** A folder as `file:///folder/`; a relative path is relative to `baseFolder`. Undefined for what is none. */
export function parseFolder(text: string, baseFolder: string): string | undefined {
  if (text === "" || text.startsWith("~") || text.includes("\0")) return undefined;
  let path = text;
  if (SCHEME.test(text)) {
    const url = /^file:\/\/\//i.test(text) ? parseUrl(text) : undefined;
    if (url === undefined) return undefined;
    try {
      path = fileURLToPath(url);
    } catch {
      return undefined;
    }
  }
  const folder = pathToFileURL(resolve(baseFolder, path)).href;
  return folder.endsWith("/") ? folder : `${folder}/`;
}

/** The scheme of something that looks like a uri, in lower case. */
export function schemeOf(text: string): string | undefined {
  return SCHEME.exec(text)?.[1]?.toLowerCase();
}

/** A uri that a source may announce. */
export interface LocatedUri {
  /** In its one form: dots resolved, escapes normalised. Read this one, not the one that was announced. */
  readonly uri: string;
  /** The path behind the prefix, decoded: what name grammars read. */
  readonly name: string;
}

/**
 * Holds an announced uri against the source's prefixes. Undefined when it is under none of them, is no uri, carries
 * credentials, a query or a fragment, or has a segment that is not plainly one file name.
 */
export function locateUri(source: Source, uri: string): LocatedUri | undefined {
  const url = parseUrl(uri);
  if (url === undefined) return undefined;
  const prefix = [source.at, ...source.allow].find((candidate) => url.href.startsWith(candidate));
  if (prefix === undefined) return undefined;
  try {
    const segments = url.href.slice(prefix.length).split("/").map(decodeURIComponent);
    const arePlain = segments.every((segment) => segment !== "" && segment !== "." && segment !== ".." && !hasSeparator(segment));
    return arePlain ? { uri: url.href, name: segments.join("/") } : undefined;
  } catch {
    // A percent sign that escapes nothing.
    return undefined;
  }
}

function hasSeparator(segment: string): boolean {
  return segment.includes("/") || segment.includes("\\") || segment.includes("\0");
}

function parseUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isPlain = url.username === "" && url.password === "" && url.search === "" && url.hash === "" && !/[?#]$/.test(text);
  return isPlain ? url : undefined;
}
