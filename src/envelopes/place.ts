import { MAX_URI_CHARACTERS } from "./limits.ts";
import { quote } from "./quote.ts";

/** The uri that a message names, in its normal form; or why it may not be one, in half a sentence. */
export type Place = { readonly uri: string } | { readonly refused: string };

/** Schemes that granules may be announced under. Which of them are reached is for the sources to say. */
const SCHEMES = ["https:", "http:", "s3:", "gs:", "sftp:", "ftp:", "file:"];

/** Letters, digits, dots, hyphens, underlines: what S3 and Google Cloud Storage have ever allowed as a bucket's name. */
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/;

// biome-ignore lint/suspicious/noControlCharactersInRegex: a parser of URLs drops some of them without a word
const CONTROLS = /[\x00-\x1f\x7f]/;

/**
 * The place that a uri names. Refused: what is no absolute uri, another scheme, credentials, a query or a fragment (a presigned
 * URL's query is a secret), steps up or on the spot in the path (`..`, `.`, also written with %2e), a backslash, control
 * characters, more than 4 096 characters.
 */
export function placeOfUri(text: string): Place {
  if (text.length > MAX_URI_CHARACTERS) return { refused: `a uri of ${text.length} characters, more than ${MAX_URI_CHARACTERS}` };
  if (CONTROLS.test(text) || !text.isWellFormed() || text.trim() !== text || text.includes("\\")) {
    return { refused: `${quote(text)} has characters that no uri has` };
  }
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || !URL.canParse(text)) return { refused: `${quote(text)} is no uri` };
  const url = new URL(text);
  if (!SCHEMES.includes(url.protocol)) return { refused: `${quote(text)} is a uri that bytes are not read from` };
  if (url.username !== "" || url.password !== "") return { refused: "a uri with credentials in it" };
  if (text.includes("?") || text.includes("#"))
    return { refused: `${quote(text)} has a query or a fragment, which may hold a secret` };
  if (url.protocol !== "file:" && url.hostname === "") return { refused: `${quote(text)} names no host` };
  const path = text.slice(text.indexOf("//") + 2);
  if (path.split("/").some(isStep)) return { refused: `${quote(text)} leaves its folder` };
  if (url.href.length > MAX_URI_CHARACTERS)
    return { refused: `a uri of ${url.href.length} characters, more than ${MAX_URI_CHARACTERS}` };
  return { uri: url.href };
}

/** The place of an object by its key as the store knows it, not encoded. A key that ends with a slash is a folder's, and refused. */
export function placeOfObject(scheme: "s3" | "gs", bucket: string, key: string): Place {
  if (!BUCKET.test(bucket)) return { refused: `${quote(bucket)} is no bucket's name` };
  if (key === "") return { refused: "an object without a key" };
  if (key.endsWith("/")) return { refused: `${quote(key)} is a folder` };
  if (key.length > MAX_URI_CHARACTERS) return { refused: `a key of ${key.length} characters, more than ${MAX_URI_CHARACTERS}` };
  if (CONTROLS.test(key) || key.includes("\\")) return { refused: `the key ${quote(key)} has characters that no uri has` };
  return placeOfUri(`${scheme}://${bucket}/${encodeName(key)}`);
}

/** A name's characters that a uri would take for something else, encoded. Slashes stay; the rest is left to the URL parser. */
export function encodeName(name: string): string {
  return name.replace(/[ %?#]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function isStep(segment: string): boolean {
  return /^(\.|%2e){1,2}$/i.test(segment);
}
