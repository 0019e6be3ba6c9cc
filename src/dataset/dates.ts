/**
 * Calendars that a dataset's dates may be of. A product of one that is not the real one counts its own time: an instant is the
 * milliseconds since 1970-01-01T00:00 in that calendar, in which all days have 86 400 s. (CF Conventions 1.11, 4.4.2 "Calendar".)
 * `standard`: the real one, proleptic Gregorian.
 */
export const DATES = ["standard", "julian", "noleap", "all_leap", "360_day"] as const;
export type Dates = (typeof DATES)[number];

const DAY_MS = 86_400_000;
const LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export interface CalendarDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** From 1. */
  readonly day: number;
}

/** Days from 1970-01-01 to a date of the calendar; undefined where it has no such date. */
export function daysOfDate(dates: Dates, { year, month, day }: CalendarDate): number | undefined {
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(dates, year, month)) return undefined;
  if (dates === "standard") return new Date(0).setUTCFullYear(year, month - 1, day) / DAY_MS;
  return daysBefore(dates, year) - daysBefore(dates, 1970) + daysBeforeMonth(dates, year, month) + day - 1;
}

/** The date so many whole days after 1970-01-01: the inverse of `daysOfDate`. */
export function dateOfDays(dates: Dates, days: number): CalendarDate {
  if (dates === "standard") {
    const date = new Date(days * DAY_MS);
    return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
  }
  const since = days + daysBefore(dates, 1970);
  let year = Math.floor(since / (daysBefore(dates, 400) / 400));
  while (daysBefore(dates, year) > since) year--;
  while (daysBefore(dates, year + 1) <= since) year++;
  let day = since - daysBefore(dates, year);
  let month = 1;
  for (; day >= daysInMonth(dates, year, month); month++) day -= daysInMonth(dates, year, month);
  return { year, month, day: day + 1 };
}

/** The instant of the calendar that has the date and time which `ms` has in the real one; undefined where it has no such date. */
export function fromReal(dates: Dates, ms: number): number | undefined {
  return dates === "standard" ? ms : moved(ms, "standard", dates);
}

/** The instant that has the same date and time in the real calendar; undefined where that has no such date (30 February). */
export function toReal(dates: Dates, ms: number): number | undefined {
  return dates === "standard" ? ms : moved(ms, dates, "standard");
}

/** An instant as people write it: `2017-06-05T12:00:00Z`; without the Z in a calendar that is not the real one. */
export function writtenInstant(dates: Dates, ms: number): string {
  if (!Number.isFinite(ms)) return "no time";
  if (dates === "standard") return new Date(ms).toISOString().replace(".000Z", "Z");
  const days = Math.floor(ms / DAY_MS);
  const { year, month, day } = dateOfDays(dates, days);
  const time = new Date(ms - days * DAY_MS).toISOString().slice(10).replace(".000Z", "").replace("Z", "");
  return `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}${time}`;
}

function moved(ms: number, from: Dates, to: Dates): number | undefined {
  if (!Number.isFinite(ms)) return ms;
  const days = Math.floor(ms / DAY_MS);
  const there = daysOfDate(to, dateOfDays(from, days));
  return there === undefined ? undefined : there * DAY_MS + (ms - days * DAY_MS);
}

function isLeap(dates: Dates, year: number): boolean {
  if (dates === "all_leap") return true;
  if (dates === "julian") return year % 4 === 0;
  return dates === "standard" && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysInMonth(dates: Dates, year: number, month: number): number {
  if (dates === "360_day") return 30;
  return (LENGTHS[month - 1] as number) + (month === 2 && isLeap(dates, year) ? 1 : 0);
}

function daysBeforeMonth(dates: Dates, year: number, month: number): number {
  let days = 0;
  for (let before = 1; before < month; before++) days += daysInMonth(dates, year, before);
  return days;
}

/** Days from the first of January of the year 0. */
function daysBefore(dates: Exclude<Dates, "standard">, year: number): number {
  switch (dates) {
    case "360_day":
      return year * 360;
    case "noleap":
      return year * 365;
    case "all_leap":
      return year * 366;
    case "julian":
      return year * 365 + Math.ceil(year / 4);
  }
}

function padded(number: number, digits: number): string {
  return String(number).padStart(digits, "0");
}
