import { type Calendar, inMonth, monthOf, stepAtOrAfter, stepAtOrBefore } from "./calendar.ts";
import { type Dates, dateOfDays, writtenInstant } from "./dates.ts";
import { parseDuration } from "./duration.ts";
import { INSTANT_FORM, parseInstant, parseTimeOfDay } from "./instant.ts";

const DAY_MS = 86_400_000;
const MONTHS_TO_1970 = 1970 * 12;

/** A calendar as a dataset file writes it. */
export interface CalendarSpec {
  readonly every: string;
  readonly at?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** The calendar whose dates these are, and those of the granules; default: the real one. */
  readonly dates?: Dates | undefined;
}

export type CalendarReading =
  | { readonly ok: true; readonly calendar: Calendar }
  /** `key` is the one that is wrong; `allowed` says what it may hold. */
  | { readonly ok: false; readonly key: keyof CalendarSpec; readonly allowed: string };

export const EVERY_FORM = "a step of time: 15m, 6h, 1d, 1mo, 1y";

/**
 * Makes a calendar of `every`, `at`, `from`, `to`. `at` is the phase: a time of day (for months: on the first), or any one
 * instant of the calendar, which is needed where a time of day does not settle it (every 5d, every 7h). Default: 00:00Z.
 * `from` and `to` may be any moments: the calendar keeps the first step at or after, and the last one at or before
 * (a date stands for its whole day).
 */
export function readCalendar(spec: CalendarSpec): CalendarReading {
  const { dates = "standard" } = spec;
  const steps = readEvery(spec.every);
  if (steps === undefined) return { ok: false, key: "every", allowed: EVERY_FORM };
  const anchorMs = readAnchor(steps, spec.at ?? "00:00Z", dates);
  if (anchorMs === undefined) return { ok: false, key: "at", allowed: anchorForm(steps) };
  const endless: Calendar = { ...steps, anchorMs, ...(dates === "standard" ? {} : { dates }) };
  const from = spec.from === undefined ? undefined : parseInstant(spec.from, dates);
  if (spec.from !== undefined && from === undefined) return { ok: false, key: "from", allowed: INSTANT_FORM };
  const to = spec.to === undefined ? undefined : parseInstant(spec.to, dates);
  if (spec.to !== undefined && to === undefined) return { ok: false, key: "to", allowed: INSTANT_FORM };
  const fromMs = from && stepAtOrAfter(endless, from.ms);
  const toMs = to && stepAtOrBefore(endless, to.isDate ? to.ms + DAY_MS - 1 : to.ms);
  if (fromMs !== undefined && toMs !== undefined && fromMs > toMs) {
    return { ok: false, key: "to", allowed: `a moment that leaves a step after ${writtenInstant(dates, fromMs)}` };
  }
  return {
    ok: true,
    calendar: { ...endless, ...(fromMs === undefined ? {} : { fromMs }), ...(toMs === undefined ? {} : { toMs }) },
  };
}

type Steps = { readonly kind: "fixed"; readonly everyMs: number } | { readonly kind: "months"; readonly months: number };

function readEvery(text: string): Steps | undefined {
  const [, digits, unit] = /^([1-9]\d{0,3})(mo|y)$/.exec(text) ?? [];
  if (digits !== undefined) return { kind: "months", months: Number(digits) * (unit === "y" ? 12 : 1) };
  const everyMs = parseDuration(text);
  return everyMs === undefined || everyMs === 0 ? undefined : { kind: "fixed", everyMs };
}

/** Whether a time of day alone says which steps are meant: they are the same in every day, or in every year. */
function timeOfDaySettles(steps: Steps): boolean {
  return steps.kind === "fixed" ? DAY_MS % steps.everyMs === 0 : 12 % steps.months === 0;
}

function readAnchor(steps: Steps, at: string, dates: Dates): number | undefined {
  const timeOfDay = parseTimeOfDay(at);
  if (timeOfDay !== undefined) {
    if (!timeOfDaySettles(steps)) return undefined;
    return steps.kind === "fixed" ? timeOfDay % steps.everyMs : timeOfDay;
  }
  const instant = parseInstant(at, dates);
  if (instant === undefined || instant.isDate) return undefined;
  if (steps.kind === "months" && dateOfDays(dates, Math.floor(instant.ms / DAY_MS)).day > 28) return undefined;
  // The same steps have the same anchor, however they were written: the hash of a dataset depends on it.
  if (steps.kind === "fixed") return ((instant.ms % steps.everyMs) + steps.everyMs) % steps.everyMs;
  const months = monthOf(dates, instant.ms) - MONTHS_TO_1970;
  return inMonth(dates, instant.ms, MONTHS_TO_1970 + (((months % steps.months) + steps.months) % steps.months));
}

function anchorForm(steps: Steps): string {
  const instant = `one instant of the calendar such as 2017-06-05T12:00Z${steps.kind === "months" ? ", at most on the 28th" : ""}`;
  return timeOfDaySettles(steps) ? `a UTC time of day such as 09:00Z, or ${instant}` : instant;
}
