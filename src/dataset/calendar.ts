import { type Dates, dateOfDays, daysOfDate } from "./dates.ts";

/**
 * The instants that a regular axis has places for, as plain data. All times are milliseconds since 1970 UTC (of other `dates`, in
 * their calendar), days have 86 400 s. The steps go on before and after the anchor without end; `fromMs` and `toMs` cut them off.
 */
export type Calendar = (
  | { readonly kind: "fixed"; readonly everyMs: number }
  /** Same day and time of day in every `months`-th month. */
  | { readonly kind: "months"; readonly months: number }
) & {
  /** Undefined: the real calendar. */
  readonly dates?: Exclude<Dates, "standard"> | undefined;
  /** One instant of the calendar, bounds aside. For months its day of the month is at most 28. */
  readonly anchorMs: number;
  /** First instant (inclusive), itself on the calendar. */
  readonly fromMs?: number | undefined;
  /** Last instant (inclusive), itself on the calendar. */
  readonly toMs?: number | undefined;
};

const DAY_MS = 86_400_000;

/** Whether the instant has a place: it is one of the steps, and inside the bounds. */
export function isOn(calendar: Calendar, validMs: number): boolean {
  return (
    stepOf(calendar, validMs) !== undefined &&
    validMs >= (calendar.fromMs ?? Number.NEGATIVE_INFINITY) &&
    validMs <= (calendar.toMs ?? Number.POSITIVE_INFINITY)
  );
}

/**
 * How many steps the instant lies after `originMs` (position 0); negative before it, undefined beside the steps.
 * Bounds play no part.
 * @throws RangeError when `originMs` is itself beside the steps.
 */
export function positionOf(calendar: Calendar, validMs: number, originMs: number): number | undefined {
  const step = stepOf(calendar, validMs);
  return step === undefined ? undefined : step - originStep(calendar, originMs);
}

/**
 * The instant of a position: the inverse of `positionOf`. `position` is a whole number, also negative.
 * @throws RangeError when `originMs` is beside the steps.
 */
export function timeAt(calendar: Calendar, position: number, originMs: number): number {
  return timeOfStep(calendar, originStep(calendar, originMs) + position);
}

/** The first step at or after the instant; bounds play no part. */
export function stepAtOrAfter(calendar: Calendar, ms: number): number {
  const before = stepAtOrBefore(calendar, ms);
  return before === ms ? ms : timeOfStep(calendar, (stepOf(calendar, before) as number) + 1);
}

/** The last step at or before the instant; bounds play no part. */
export function stepAtOrBefore(calendar: Calendar, ms: number): number {
  if (calendar.kind === "fixed") {
    return calendar.anchorMs + Math.floor((ms - calendar.anchorMs) / calendar.everyMs) * calendar.everyMs;
  }
  const guess = Math.floor((monthOf(calendar.dates, ms) - monthOf(calendar.dates, calendar.anchorMs)) / calendar.months);
  const time = timeOfStep(calendar, guess);
  return time <= ms ? time : timeOfStep(calendar, guess - 1);
}

function originStep(calendar: Calendar, originMs: number): number {
  const step = stepOf(calendar, originMs);
  if (step === undefined) throw new RangeError(`the origin ${new Date(originMs).toISOString()} is not on the calendar`);
  return step;
}

/** Steps from the anchor; undefined beside them. */
function stepOf(calendar: Calendar, ms: number): number | undefined {
  const step =
    calendar.kind === "fixed"
      ? (ms - calendar.anchorMs) / calendar.everyMs
      : (monthOf(calendar.dates, ms) - monthOf(calendar.dates, calendar.anchorMs)) / calendar.months;
  return Number.isSafeInteger(step) && timeOfStep(calendar, step) === ms ? step : undefined;
}

function timeOfStep(calendar: Calendar, step: number): number {
  if (calendar.kind === "fixed") return calendar.anchorMs + step * calendar.everyMs;
  return inMonth(calendar.dates, calendar.anchorMs, monthOf(calendar.dates, calendar.anchorMs) + step * calendar.months);
}

/** Months since January of the year 0. */
export function monthOf(dates: Dates | undefined, ms: number): number {
  const { year, month } = dateOfDays(dates ?? "standard", Math.floor(ms / DAY_MS));
  return year * 12 + month - 1;
}

/** The instant of the same day of the month, at most the 28th, and time of day, in another month since January of the year 0. */
export function inMonth(dates: Dates | undefined, ms: number, months: number): number {
  const days = Math.floor(ms / DAY_MS);
  const { day } = dateOfDays(dates ?? "standard", days);
  const year = Math.floor(months / 12);
  return (
    (daysOfDate(dates ?? "standard", { year, month: months - year * 12 + 1, day }) ?? Number.NaN) * DAY_MS + (ms - days * DAY_MS)
  );
}
