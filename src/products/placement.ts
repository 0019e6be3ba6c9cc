import { instant } from "./granule-shape.ts";
import type { Layout, LayoutRow } from "./layout.ts";

/** The arithmetic of a declared calendar: regular instants, counted from any of them. */
export interface CalendarArithmetic {
  /** Whether an instant has a place: on a step, and inside the declared bounds. */
  isOn(ms: number): boolean;
  /** Steps from `originMs` to `ms`; negative before it. Both are on a step. */
  positionOf(ms: number, originMs: number): number;
  /** The instant `position` steps after `originMs`. */
  timeAt(position: number, originMs: number): number;
}

/** A revision that the ledger says is ready (or withdrawn). */
export interface Arrival extends LayoutRow {
  readonly state: "ready" | "withdrawn";
}

export interface PlacementRules {
  readonly calendar: CalendarArithmetic;
  /** `gap`: every instant of the calendar has a slot. `omit`: only those that came have, ascending. */
  readonly missing: "gap" | "omit";
  /** First instant of the axis, where the dataset file declares it. On the calendar. */
  readonly fromMs: number | undefined;
  /** Any instant of the calendar: granules of several steps tile the axis from there. */
  readonly anchorMs: number;
  /** Steps of the axis in one granule. */
  readonly steps: number;
}

export interface Placement {
  readonly layout: Layout;
  /** Arrivals that have no place, each with the reason: their instant is off the calendar, or before its declared beginning. */
  readonly rejected: readonly { readonly arrival: Arrival; readonly reason: string }[];
  /** Revisions that lost their place to another granule of the same instant. */
  readonly displaced: readonly LayoutRow[];
}

/**
 * The wanted layout: the stored one with the arrivals put in their places, in the order given (ascending by the ledger).
 * A later revision of a granule takes the place of the earlier one; of two granules with the same instant the later heard
 * stays. The result depends on the arrivals as a set with an order per instant, not on how they are cut into batches.
 */
export function placeArrivals(stored: Layout, arrivals: readonly Arrival[], rules: PlacementRules): Placement {
  const rejected: { arrival: Arrival; reason: string }[] = [];
  const displaced: LayoutRow[] = [];
  const byInstant = new Map<number, LayoutRow>();
  const instantOf = new Map<string, number>();
  for (const row of stored.rows) {
    if (row === null) continue;
    byInstant.set(row.validMs, row);
    instantOf.set(row.key, row.validMs);
  }
  for (const arrival of arrivals) {
    const reason = arrival.state === "ready" ? misfit(arrival, rules) : undefined;
    if (reason !== undefined) {
      rejected.push({ arrival, reason });
      continue;
    }
    const earlier = instantOf.get(arrival.key);
    if (earlier !== undefined) byInstant.delete(earlier);
    instantOf.delete(arrival.key);
    if (arrival.state === "withdrawn") continue;
    const { key, identity, validMs, scan } = arrival;
    const rival = byInstant.get(validMs);
    if (rival !== undefined) {
      displaced.push(rival);
      instantOf.delete(rival.key);
    }
    byInstant.set(validMs, { key, identity, validMs, scan });
    instantOf.set(key, validMs);
  }
  return { layout: layOut(byInstant, stored, rules), rejected, displaced };
}

function layOut(byInstant: ReadonlyMap<number, LayoutRow>, stored: Layout, rules: PlacementRules): Layout {
  const instants = [...byInstant.keys()].sort((a, b) => a - b);
  const first = instants[0];
  const last = instants.at(-1);
  if (first === undefined || last === undefined) return { originMs: stored.originMs, rows: stored.rows.map(() => null) };
  const { calendar, steps } = rules;
  if (rules.missing === "omit") {
    return { originMs: first, rows: instants.map((ms) => byInstant.get(ms) as LayoutRow) };
  }
  // The beginning and the end never move inwards: a withdrawn first day leaves a gap, not another numbering.
  const originMs = rules.fromMs ?? Math.min(first, stored.originMs ?? first);
  const shift = stored.originMs === null ? 0 : calendar.positionOf(stored.originMs, originMs) / steps;
  const length = Math.max(calendar.positionOf(last, originMs) / steps + 1, stored.rows.length + shift);
  const rows: (LayoutRow | null)[] = new Array(length).fill(null);
  for (const [ms, row] of byInstant) rows[calendar.positionOf(ms, originMs) / steps] = row;
  return { originMs, rows };
}

/** Why an instant has no place, or undefined. `validMs` is the granule's first step. */
export function misfit(
  { validMs }: Pick<LayoutRow, "validMs">,
  { calendar, anchorMs, steps }: PlacementRules,
): string | undefined {
  if (!calendar.isOn(validMs)) return `valid ${instant(validMs)}, which is not on the declared calendar`;
  if (steps > 1 && calendar.positionOf(validMs, anchorMs) % steps !== 0) {
    return `valid ${instant(validMs)}, which is inside another granule's steps`;
  }
  return undefined;
}
