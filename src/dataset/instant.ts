import { type Dates, daysOfDate } from "./dates.ts";

export const INSTANT_FORM = "a UTC date or instant: 2017-06-05 or 2017-06-05T12:00Z";

/** A moment as a dataset file writes it. */
export interface WrittenInstant {
  /** Milliseconds since 1970; of a date, its beginning. */
  readonly ms: number;
  /** Whether only the day was given. */
  readonly isDate: boolean;
}

/**
 * `2017-06-05`, `2017-06-05T12:00Z` or `2017-06-05T12:00:00Z`; undefined for anything else and for days that do not exist in the
 * calendar.
 */
export function parseInstant(text: string, dates: Dates = "standard"): WrittenInstant | undefined {
  const [, year, month, day, time] = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}:\d{2}(?::\d{2})?Z))?$/.exec(text) ?? [];
  if (year === undefined) return undefined;
  const days = daysOfDate(dates, { year: Number(year), month: Number(month), day: Number(day) });
  const timeOfDay = time === undefined ? 0 : parseTimeOfDay(time);
  if (days === undefined || timeOfDay === undefined) return undefined;
  return { ms: days * 86_400_000 + timeOfDay, isDate: time === undefined };
}

/** Milliseconds after midnight of `09:00Z` or `09:00:30Z`; undefined for anything else. */
export function parseTimeOfDay(text: string): number | undefined {
  const [, hours, minutes, seconds] = /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?Z$/.exec(text) ?? [];
  if (hours === undefined) return undefined;
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds ?? 0)) * 1000;
}
