import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const SCHEME = /^([a-z][a-z0-9+.-]*):/i;

export const PREFIX_FORM = "https://…, http://…, s3://bucket/…, file:///… or a path, without credentials, query or fragment";
export const FOLDER_FORM = "a path or file:///…";
export const PLACE_FORM = "a path, file:///… or s3://bucket/…";

/** A prefix of uris in its one form: `https://host/folder/`, `s3://bucket/prefix/`, `file:///folder/`. Undefined for what cannot be one. */
export function parsePrefix(text: string, baseFolder: string): string | undefined {
  if (!/^(https?|s3):\/\//i.test(text)) return parseFolder(text, baseFolder);
  const url = parseUrl(text);
  if (url === undefined || url.hostname === "") return undefined;
  return url.href.endsWith("/") ? url.href : `${url.href}/`;
}

/** A folder that is written to, on a disk or in a bucket, as `file:///folder/` or `s3://bucket/prefix/`. Undefined for what is none. */
export function parsePlace(text: string, baseFolder: string): string | undefined {
  return /^s3:/i.test(text) ? parsePrefix(text, baseFolder) : parseFolder(text, baseFolder);
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

function parseUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isPlain = url.username === "" && url.password === "" && url.search === "" && url.hash === "" && !/[?#]$/.test(text);
  return isPlain ? url : undefined;
}
