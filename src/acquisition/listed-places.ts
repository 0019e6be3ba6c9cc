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
export function listedPlaces({ name, at, listing }: Source, nowMs: number): string[] {
  const places = new Set<string>();
  for (const below of listing?.below ?? []) {
    const days = below.includes("{") ? (listing?.back ?? 0) : 0;
    for (let day = 0; day <= days; day++) {
      const folder = below.replace(/\{([^{}]*)\}/g, (whole, field: string) =>
        formatted(field, nowMs - day * DAY_MS, whole, name),
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
