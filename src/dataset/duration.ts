const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Durations as a dataset file writes them. */
export const DURATION_PATTERN = "^[0-9]{1,9}(ms|s|m|h|d)$";
export const DURATION_FORM = "a whole number with a unit: 500ms, 30s, 15m, 6h, 10d";

/** Milliseconds of `30s`, `15m`, `6h`, `10d`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, digits, unit] = /^([0-9]{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  const ms = Number(digits) * (UNIT_MS[unit] as number);
  return Number.isSafeInteger(ms) ? ms : undefined;
}
