import type { Source } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";

const DAY_MS = 86_400_000;
/** Folders that one listing begins with at most. */
const MOST_PLACES = 2_000;

/**
 * The folders that a source's listing looks at: those of `below`, below `at`; one with `{today:…}` for today (UTC) and each of the days
 * before it that `back` says, the newest first. As uris that end in `/`, each once.
 * @param nowMs milliseconds since 1970.
 * @throws FreshetError `dataset-file` for a folder that is not below `at`, or a `{…}` that is not understood.
 */
export function listedPlaces(source: Source, nowMs: number): string[] {
  return placesOf(source, source.listing?.below ?? [], nowMs, source.listing?.back ?? 0);
}

/**
 * The folders in which a source's granules of a span are (milliseconds since 1970, inclusive): as its listing says, with `{today:…}` for each day of the
 * span and the `back` days before it, the last day first; all of the source where it has no listing.
 * @throws FreshetError as `listedPlaces`; `usage` where a folder needs a span, and an end is missing.
 */
export function placesBetween(source: Source, fromMs: number | undefined, toMs: number | undefined): string[] {
  const { below = [""], back = 0 } = source.listing ?? {};
  if (!below.some((folder) => folder.includes("{"))) return placesOf(source, below, 0, 0);
  if (fromMs === undefined || toMs === undefined) {
    throw new FreshetError("usage", "the folders of this source's listing are those of days", {
      found: below.join(", "),
      expected: "--from and --to",
      path: `sources.${source.name}.listing.below`,
    });
  }
  const days = Math.floor(toMs / DAY_MS) - Math.floor(fromMs / DAY_MS) + back;
  return placesOf(source, below, toMs, days);
}

/** @param days before that of `lastMs`. */
function placesOf({ name, at }: Source, belows: readonly string[], lastMs: number, days: number): string[] {
  const places = new Set<string>();
  for (const below of belows) {
    for (let day = 0; day <= (below.includes("{") ? days : 0) && places.size <= MOST_PLACES; day++) {
      const folder = below.replace(/\{([^{}]*)\}/g, (whole, field: string) =>
        formatted(field, lastMs - day * DAY_MS, whole, name),
      );
      places.add(placeBelow(at, folder, name));
    }
  }
  if (places.size > MOST_PLACES) {
    throw new FreshetError("dataset-file", "a listing looks at too many folders", {
      found: `${places.size}`,
      expected: `at most ${MOST_PLACES}`,
      path: `sources.${name}.listing`,
    });
  }
  return [...places];
}

function formatted(field: string, ms: number, whole: string, source: string): string {
  const format = /^today:((?:%[Ymdj]|[^%{}])+)$/.exec(field)?.[1];
  if (format === undefined) {
    throw new FreshetError("dataset-file", "a folder of a listing cannot be read", {
      found: whole,
      expected: "{today:%Y%m%d}, of %Y, %m, %d and %j",
      path: `sources.${source}.listing.below`,
    });
  }
  return format.replace(/%([Ymdj])/g, (_, part: string) => partOf(part, new Date(ms)));
}

function partOf(part: string, date: Date): string {
  const pad = (value: number, digits: number): string => String(value).padStart(digits, "0");
  switch (part) {
    case "Y":
      return pad(date.getUTCFullYear(), 4);
    case "m":
      return pad(date.getUTCMonth() + 1, 2);
    case "d":
      return pad(date.getUTCDate(), 2);
    default:
      return pad(1 + Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MS), 3);
  }
}

function placeBelow(at: string, folder: string, source: string): string {
  const text = `${at}${folder.replace(/[%?#\\]/g, encodeURIComponent)}`;
  const { href } = new URL(text);
  const place = href.endsWith("/") ? href : `${href}/`;
  if (place.startsWith(at)) return place;
  throw new FreshetError("dataset-file", "a listing's folder is not below its source", {
    found: folder,
    expected: `a folder below ${at}`,
    path: `sources.${source}.listing.below`,
  });
}
