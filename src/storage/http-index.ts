import { FreshetError } from "../errors/index.ts";
import { type HtmlLink, linksIn } from "./html-links.ts";
import { get, type HttpRequestOptions, shownUrl } from "./http-request.ts";
import { requireSuccess } from "./http-status.ts";
import { type ListedFile, type ListedPage, MOST_ENTRIES } from "./listed-page.ts";

/** An index of 100 000 names, with dates and sizes. */
const MOST_BYTES = 32 * 1024 * 1024;

/**
 * The files and folders that a web server's index of a folder links to, as Apache, nginx, Caddy and their like write it. Only links to
 * what is below the folder count; those with a query (other orders of the same page) do not.
 * @param folder `https://…/`.
 * @throws FreshetError as opening a file of the server; `unsupported` for what is no HTML, or more than 32 MiB or 100 000 links.
 */
export async function listHttpIndex(folder: string, options: HttpRequestOptions = {}): Promise<ListedPage> {
  const answer = await get(new URL(folder), { accept: "text/html" }, options);
  requireSuccess(answer, new URL(folder));
  const type = answer.headers["content-type"] ?? "";
  if (!/^\s*(text\/html|application\/xhtml\+xml)\s*(;|$)/i.test(type)) {
    answer.discard();
    throw unlistable(
      "what the server has there is no index",
      type === "" ? "no content-type" : type.slice(0, 80),
      "text/html",
      folder,
    );
  }
  if (Number(answer.headers["content-length"] ?? 0) > MOST_BYTES) {
    answer.discard();
    throw tooLarge(folder);
  }
  const html = new TextDecoder().decode(await answer.readBody(MOST_BYTES));
  const links = linksIn(html, MOST_ENTRIES + 1);
  if (links.length > MOST_ENTRIES) throw tooLarge(folder);
  // Where a redirect has led is what relative links are relative to.
  return pageOf(links, answer.url, new URL(folder));
}

function pageOf(links: readonly HtmlLink[], base: URL, folder: URL): ListedPage {
  const files = new Map<string, ListedFile>();
  const folders = new Set<string>();
  let passedOver = 0;
  for (const { href, beside } of links) {
    const rest = restBelow(href, base);
    if (rest === undefined) {
      passedOver++;
      continue;
    }
    const uri = `${folder.origin}${folder.pathname}${rest}`;
    if (rest.endsWith("/")) folders.add(uri);
    else if (!files.has(uri)) files.set(uri, { uri, shownMs: shownTime(beside) });
  }
  return { files: [...files.values()], folders: [...folders], next: undefined, passedOver };
}

/** What a link adds to the page's folder; undefined for what is not below it. */
function restBelow(href: string, base: URL): string | undefined {
  if (!URL.canParse(href, base.href)) return undefined;
  const url = new URL(href, base);
  const path = base.pathname.slice(0, base.pathname.lastIndexOf("/") + 1);
  if (url.origin !== base.origin || url.search !== "" || url.username !== "" || !url.pathname.startsWith(path)) return undefined;
  const rest = url.pathname.slice(path.length);
  if (rest === "" || /%2f|%5c|%00/i.test(rest) || rest.includes("//") || /(^|\/)\./.test(rest)) return undefined;
  return rest;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `2026-11-21 15:04` (Apache), `21-Nov-2026 15:04` (nginx), `2026-11-21T15:04:05Z` (Caddy); undefined for a row without. */
function shownTime(beside: string): number | undefined {
  const iso = /\b(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d)/.exec(beside);
  if (iso !== null) return minute(iso[1], Number(iso[2]) - 1, iso[3], iso[4], iso[5]);
  const named = /\b(\d\d)-([A-Z][a-z]{2})-(\d{4}) (\d\d):(\d\d)/.exec(beside);
  return named === null ? undefined : minute(named[3], MONTHS.indexOf(named[2] ?? ""), named[1], named[4], named[5]);
}

function minute(year = "", month: number, day = "", hours = "", minutes = ""): number | undefined {
  if (month < 0 || month > 11) return undefined;
  return Date.UTC(Number(year), month, Number(day), Number(hours), Number(minutes));
}

function tooLarge(folder: string): FreshetError {
  return unlistable(
    "the server's index is larger than is looked at",
    "more",
    `${MOST_BYTES / 2 ** 20} MiB and ${MOST_ENTRIES} links`,
    folder,
  );
}

function unlistable(summary: string, found: string, expected: string, folder: string): FreshetError {
  return new FreshetError("unsupported", summary, {
    found,
    expected,
    uri: shownUrl(new URL(folder)),
    remedy: "Let the listing look at folders that have an index (below) in the dataset file",
  });
}
