import { FreshetError } from "../errors/index.ts";

/** A time coordinate's encoding: `value * unitMs + epochMs` is milliseconds since 1970-01-01T00:00:00Z. */
export interface TimeEncoding {
  readonly unitMs: number;
  readonly epochMs: number;
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
  /^([a-z]+)\s+since\s+(\d{1,4})-(\d{1,2})-(\d{1,2})(?:[t\s]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,9}))?)?)?\s*(z|utc|gmt|[+-]\d{2}(?::?\d{2})?)?$/i;

/** Where the standard calendar agrees with the proleptic Gregorian one: after the reform of October 1582. */
const GREGORIAN_FROM_MS = Date.UTC(1582, 9, 15);

/**
 * Reads `units` ("seconds since 1981-01-01 00:00:00") and `calendar` of a time coordinate.
 * CF Conventions 1.11, 4.4 "Time Coordinate". Months and years are not units of fixed length and are refused, as are the
 * calendars that are not the real one (360_day, noleap, …), dates that do not exist, and a time zone of one digit (`+5`), which
 * udunits applies and cftime ignores.
 * @throws FreshetError `unsupported`.
 */
export function readTimeEncoding(units: string, calendar = "standard"): TimeEncoding {
  if (!["standard", "gregorian", "proleptic_gregorian"].includes(calendar.toLowerCase())) {
    throw new FreshetError("unsupported", "a time axis in this calendar is not read yet", {
      found: calendar,
      expected: "standard, gregorian or proleptic_gregorian",
    });
  }
  const match = REFERENCE.exec(units.trim());
  const unitMs = UNIT_MS.get(match?.[1]?.toLowerCase() ?? "");
  if (match === null || unitMs === undefined) {
    throw new FreshetError("unsupported", "these time units are not understood", {
      found: JSON.stringify(units),
      expected: "milliseconds, seconds, minutes, hours or days since a date",
    });
  }
  const [, , year, month, day, hour = "0", minute = "0", second = "0", fraction = "0", zone] = match;
  const epoch = new Date(0);
  epoch.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  epoch.setUTCHours(Number(hour), Number(minute), Number(second));
  const asWritten = [epoch.getUTCFullYear(), epoch.getUTCMonth() + 1, epoch.getUTCDate(), epoch.getUTCHours()];
  asWritten.push(epoch.getUTCMinutes(), epoch.getUTCSeconds());
  if ([year, month, day, hour, minute, second].some((part, index) => Number(part) !== asWritten[index])) {
    throw new FreshetError("unsupported", "the time axis counts from a date that does not exist", {
      found: JSON.stringify(units),
      expected: "a date of the Gregorian calendar, 00:00:00 to 23:59:59",
    });
  }
  const epochMs = epoch.getTime() + Math.round(Number(`0.${fraction}`) * 1000) - zoneMs(zone);
  if (calendar.toLowerCase() !== "proleptic_gregorian" && epochMs < GREGORIAN_FROM_MS) {
    throw new FreshetError("unsupported", "the time axis counts from before the Gregorian calendar", { found: units });
  }
  return { unitMs, epochMs };
}

/** Milliseconds since 1970 of a coordinate value, rounded to a whole millisecond. NaN stays NaN. */
export function decodeTime(encoding: TimeEncoding, value: number | bigint): number {
  if (typeof value === "bigint") return Number(value * BigInt(encoding.unitMs)) + encoding.epochMs;
  return Math.round(value * encoding.unitMs) + encoding.epochMs;
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
