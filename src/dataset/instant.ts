export const INSTANT_FORM = "a UTC date or instant: 2017-06-05 or 2017-06-05T12:00Z";

/** A moment as a dataset file writes it. */
export interface WrittenInstant {
  /** Milliseconds since 1970; of a date, its beginning. */
  readonly ms: number;
  /** Whether only the day was given. */
  readonly isDate: boolean;
}

/** `2017-06-05`, `2017-06-05T12:00Z` or `2017-06-05T12:00:00Z`; undefined for anything else and for days that do not exist. */
export function parseInstant(text: string): WrittenInstant | undefined {
  const [, date, time] = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2})?)Z)?$/.exec(text) ?? [];
  if (date === undefined) return undefined;
  const clock = (time ?? "00:00").padEnd(8, ":00");
  const ms = Date.parse(`${date}T${clock}Z`);
  // Date.parse takes 31 February for 3 March.
  if (Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(`${date}T${clock}`)) return undefined;
  return { ms, isDate: time === undefined };
}

/** Milliseconds after midnight of `09:00Z` or `09:00:30Z`; undefined for anything else. */
export function parseTimeOfDay(text: string): number | undefined {
  const [, hours, minutes, seconds] = /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?Z$/.exec(text) ?? [];
  if (hours === undefined) return undefined;
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds ?? 0)) * 1000;
}
