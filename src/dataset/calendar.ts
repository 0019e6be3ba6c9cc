/**
 * The instants that a regular axis has places for, as plain data. All times are milliseconds since 1970 UTC, days have
 * 86 400 s. The steps go on before and after the anchor without end; `fromMs` and `toMs` cut them off.
 */
export type Calendar = (
  | { readonly kind: "fixed"; readonly everyMs: number }
  /** Same day and time of day in every `months`-th month. */
  | { readonly kind: "months"; readonly months: number }
) & {
  /** One instant of the calendar, bounds aside. For months its day of the month is at most 28. */
  readonly anchorMs: number;
  /** First instant (inclusive), itself on the calendar. */
  readonly fromMs?: number | undefined;
  /** Last instant (inclusive), itself on the calendar. */
  readonly toMs?: number | undefined;
};
