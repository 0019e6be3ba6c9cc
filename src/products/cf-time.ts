import { type Dates, daysOfDate, type FileCalendar } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";

/**
 * A time coordinate's encoding: `value * unitMs + epochMs` is milliseconds since 1970-01-01T00:00:00Z, in the calendar of the
 * product's dates.
 */
export interface TimeEncoding {
  readonly unitMs: number;
  readonly epochMs: number;
  /** Instants that it holds for (inclusive, exclusive), where not for all. */
  readonly span?: { readonly fromMs: number; readonly toMs: number } | undefined;
}

/** How the times of files are understood. */
export interface Dating {
  /** The calendar in which the product counts. Default: the real one. */
  readonly dates?: Dates | undefined;
  /** `as-standard`: what files say of their calendar is not so. */
  readonly fileCalendar?: FileCalendar | undefined;
}

const UNIT_MS: ReadonlyMap<string, number> = new Map(
  [
    [1, "ms", "msec", "msecs", "millisec", "millisecs", "millisecond", "milliseconds"],
    [1_000, "s", "sec", "secs", "second", "seconds"],
    [60_000, "min", "mins", "minute", "minutes"],
    [3_600_000, "h", "hr", "hrs", "hour", "hours"],
    [86_400_000, "d", "day", "days"],
  ].flatMap(([ms, ...names]) => names.map((name) => [String(name), Number(ms)] as const)),
);

const REFERENCE =
  /^([a-z_]+)\s+since\s+(\d{1,4})-(\d{1,2})-(\d{1,2})(?:[t\s]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,9}))?)?)?\s*(z|utc|gmt|[+-]\d{2}(?::?\d{2})?)?$/i;

const DAY_MS = 86_400_000;
/** Where the standard calendar agrees with the proleptic Gregorian one: after the reform of October 1582. */
const GREGORIAN_FROM_MS = Date.UTC(1582, 9, 15);
/** Between two years that are leap years in the Julian calendar alone, days that follow each other have the same dates in both. */
const AS_IN_JULIAN = { fromMs: Date.UTC(1900, 2, 1), toMs: Date.UTC(2100, 1, 29) };

/** What CF calls calendars (CF Conventions 1.11, 4.4.2), by the calendar that they are; `standard` is mixed, with a reform. */
const BY_NAME: ReadonlyMap<string, Dates | "mixed"> = new Map([
  ["standard", "mixed"],
  ["gregorian", "mixed"],
  ["proleptic_gregorian", "standard"],
  ["julian", "julian"],
  ["noleap", "noleap"],
  ["365_day", "noleap"],
  ["all_leap", "all_leap"],
  ["366_day", "all_leap"],
  ["360_day", "360_day"],
]);

/**
 * Reads `units` ("seconds since 1981-01-01 00:00:00") and `calendar` of a time coordinate.
 * CF Conventions 1.11, 4.4 "Time Coordinate". Months are units of fixed length in the calendar 360_day alone, and years (`common_years`)
 * in noleap, as in cftime; elsewhere they are refused, as are dates that do not exist, and a time zone of one digit (`+5`), which udunits
 * applies and cftime ignores.
 *
 * Dates are those of the calendar that the file names. Files of real observations name `julian` too (IMERG, OSCAR), and mean the date
 * that follows, not the one 13 days later that it is in the real calendar: where both have the same dates that is read, elsewhere refused.
 * @throws FreshetError `unsupported`; `drift` for another calendar than that of the product's dates.
 */
export function readTimeEncoding(
  units: string,
  calendar = "standard",
  { dates = "standard", fileCalendar }: Dating = {},
): TimeEncoding {
  const named = BY_NAME.get(calendar.trim().toLowerCase());
  if (named === undefined && fileCalendar === undefined) {
    throw new FreshetError("unsupported", "a time axis in this calendar is not read", {
      found: calendar,
      expected: [...BY_NAME.keys()].join(", "),
      remedy: "If its times count in the standard calendar all the same, say so: calendar-of-file: as-standard",
    });
  }
  const counted = fileCalendar === "as-standard" || named === undefined ? "standard" : named;
  const isReal = counted === "mixed" || counted === "standard";
  const isLikeReal = dates === "standard" && counted === "julian";
  if (dates !== (isReal ? "standard" : counted) && !isLikeReal) throw otherCalendar(calendar, dates, counted);
  const countedIn = isReal ? "standard" : counted;

  const match = REFERENCE.exec(units.trim());
  const unitMs = unitOf(match?.[1]?.toLowerCase() ?? "", countedIn);
  if (match === null || unitMs === undefined) {
    throw new FreshetError("unsupported", "these time units are not understood", {
      found: JSON.stringify(units),
      expected: "milliseconds, seconds, minutes, hours or days since a date",
      remedy: "Say the time in the granules' names, and drop the variable or name another axis",
    });
  }
  const [, , year, month, day, hour = "0", minute = "0", second = "0", fraction = "0", zone] = match;
  const days = daysOfDate(countedIn, { year: Number(year), month: Number(month), day: Number(day) });
  if (days === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) {
    throw new FreshetError("unsupported", "the time axis counts from a date that does not exist", {
      found: JSON.stringify(units),
      expected: `a date of the ${isReal ? "Gregorian calendar" : `calendar ${counted}`}, 00:00:00 to 23:59:59`,
    });
  }
  const ofDay = (Number(hour) * 60 + Number(minute)) * 60 + Number(second) + Number(`0.${fraction}`);
  const epochMs = days * DAY_MS + Math.round(ofDay * 1000) - zoneMs(zone);
  if ((counted === "mixed" || fileCalendar !== undefined) && epochMs < GREGORIAN_FROM_MS) {
    throw new FreshetError("unsupported", "the time axis counts from before the Gregorian calendar", { found: units });
  }
  return { unitMs, epochMs, ...(isLikeReal ? { span: AS_IN_JULIAN } : {}) };
}

function unitOf(name: string, dates: Dates): number | undefined {
  if (dates === "360_day" && (name === "month" || name === "months")) return 30 * DAY_MS;
  if (dates === "noleap" && (name === "common_year" || name === "common_years")) return 365 * DAY_MS;
  return UNIT_MS.get(name);
}

function otherCalendar(calendar: string, dates: Dates, counted: string): FreshetError {
  const isModel = counted !== "mixed" && counted !== "standard";
  return new FreshetError("drift", "the file's times are dates of another calendar than the product's", {
    found: calendar,
    expected: dates,
    remedy: isModel
      ? `Declare it, calendar: { dates: ${counted} }; or, if the times count in the standard calendar, calendar-of-file: as-standard`
      : "Declare it: calendar: { dates: standard }",
  });
}

/**
 * Milliseconds since 1970 of a coordinate value, rounded to a whole millisecond. NaN stays NaN.
 * @throws FreshetError `unsupported` for an instant of the Julian calendar that has another date in the real one.
 */
export function decodeTime({ unitMs, epochMs, span }: TimeEncoding, value: number | bigint): number {
  const ms = (typeof value === "bigint" ? Number(value * BigInt(unitMs)) : Math.round(value * unitMs)) + epochMs;
  if (span === undefined || Number.isNaN(ms) || (ms >= span.fromMs && ms < span.toMs)) return ms;
  throw new FreshetError(
    "unsupported",
    "a date of the Julian calendar is outside the years in which the real one has the same dates",
    {
      found: `${value}`,
      expected: "March 1900 to February 2100",
      remedy: "Say which is meant: calendar: { dates: julian }, or calendar-of-file: as-standard",
    },
  );
}

export function isSameEncoding(a: TimeEncoding, b: TimeEncoding): boolean {
  return a.unitMs === b.unitMs && a.epochMs === b.epochMs;
}

/** The coordinate value of an instant; a fraction where the unit does not divide it. */
export function encodeTime(encoding: TimeEncoding, ms: number): number {
  return (ms - encoding.epochMs) / encoding.unitMs;
}

function zoneMs(zone: string | undefined): number {
  const match = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone ?? "");
  if (match === null) return 0;
  return (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 3_600_000 + Number(match[3] ?? 0) * 60_000);
}
