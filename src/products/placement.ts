import { FreshetError } from "../errors/index.ts";
import { instant } from "./granule-shape.ts";
import { EMPTY_LAYOUT, type Layout, type LayoutRow } from "./layout.ts";

/** The arithmetic of a declared calendar: regular instants, counted from any of them. */
export interface CalendarArithmetic {
  /** Whether an instant has a place: on a step, and inside the declared bounds. */
  isOn(ms: number): boolean;
  /** Whether it is on a step, bounds aside. */
  isStep(ms: number): boolean;
  /** Steps from `originMs`, which is on a step, to `ms`; negative before it, NaN beside the steps. */
  positionOf(ms: number, originMs: number): number;
  /** The instant `position` steps after `originMs`. */
  timeAt(position: number, originMs: number): number;
}

/** A revision that the ledger says is ready. */
export interface ReadyArrival extends LayoutRow {
  readonly state: "ready";
}

/** What the ledger has news of. A withdrawn revision may never have been scanned. */
export type Arrival = ReadyArrival | { readonly state: "withdrawn"; readonly key: string; readonly identity: string };

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
  /** Arrivals that have no place, each with the reason: their instant is off the calendar, outside its bounds, or too far away. */
  readonly rejected: readonly { readonly arrival: ReadyArrival; readonly reason: string }[];
  /** Revisions that lost their place to another granule of the same instant. */
  readonly displaced: readonly LayoutRow[];
}

/**
 * Slots of an axis at most: 19 years of steps of ten minutes, and as much as a layout may have that is hashed with each look.
 * One granule whose clock is wrong by centuries must not fill memory with gaps.
 */
const MOST_SLOTS = 1_000_000;

/**
 * The wanted layout: the stored one with the arrivals put in their places, one after the other in the order given (in which
 * the ledger says that they became ready). A later revision of a granule takes the place of the earlier one; of two granules
 * with the same instant the later one stays. What is withdrawn goes if it is that revision that stands there. The result does
 * not depend on how the arrivals are cut into batches.
 * @throws FreshetError `dataset-file` when the calendar has no places for what is stored.
 */
export function placeArrivals(stored: Layout, arrivals: readonly Arrival[], rules: PlacementRules): Placement {
  const rejected: { arrival: ReadyArrival; reason: string }[] = [];
  const displaced: LayoutRow[] = [];
  const byInstant = new Map<number, LayoutRow>();
  const instantOf = new Map<string, number>();
  const reach = new Reach(rules);
  if (stored.originMs !== null) reach.add(stored.originMs);
  for (const row of stored.rows) {
    if (row === null) continue;
    reach.add(row.validMs);
    byInstant.set(row.validMs, row);
    instantOf.set(row.key, row.validMs);
  }
  for (const arrival of arrivals) {
    const earlier = instantOf.get(arrival.key);
    if (arrival.state === "withdrawn") {
      if (earlier === undefined || byInstant.get(earlier)?.identity !== arrival.identity) continue;
      byInstant.delete(earlier);
      instantOf.delete(arrival.key);
      continue;
    }
    const reason = misfit(arrival, rules) ?? reach.refusal(arrival.validMs);
    if (reason !== undefined) {
      rejected.push({ arrival, reason });
      continue;
    }
    reach.add(arrival.validMs);
    if (earlier !== undefined) byInstant.delete(earlier);
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

/** From where to where the axis goes, and whether it may go further. */
class Reach {
  readonly #rules: PlacementRules;
  #firstMs = Number.POSITIVE_INFINITY;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(rules: PlacementRules) {
    this.#rules = rules;
    if (rules.fromMs !== undefined) this.add(rules.fromMs);
  }

  add(ms: number): void {
    this.#firstMs = Math.min(this.#firstMs, ms);
    this.#lastMs = Math.max(this.#lastMs, ms);
  }

  refusal(ms: number): string | undefined {
    const { calendar, missing, steps } = this.#rules;
    // What was published under another calendar is `layOut`'s business.
    if (missing === "omit" || this.#firstMs > this.#lastMs || !calendar.isStep(Math.min(ms, this.#firstMs))) return undefined;
    const slots = calendar.positionOf(Math.max(ms, this.#lastMs), Math.min(ms, this.#firstMs)) / steps + 1;
    if (slots <= MOST_SLOTS) return undefined;
    return `valid ${instant(ms)}, which would stretch the axis to ${Math.ceil(slots)} places, more than ${MOST_SLOTS}`;
  }
}

function layOut(byInstant: ReadonlyMap<number, LayoutRow>, stored: Layout, rules: PlacementRules): Layout {
  const instants = [...byInstant.keys()].sort((a, b) => a - b);
  const first = instants[0];
  const last = instants.at(-1);
  if (rules.missing === "omit") {
    return first === undefined ? EMPTY_LAYOUT : { originMs: first, rows: instants.map((ms) => byInstant.get(ms) as LayoutRow) };
  }
  if (first === undefined || last === undefined) return { originMs: stored.originMs, rows: stored.rows.map(() => null) };
  // The beginning and the end never move inwards: a withdrawn first day leaves a gap, not another numbering.
  const originMs = rules.fromMs ?? Math.min(first, stored.originMs ?? first);
  const shift = stored.originMs === null ? 0 : slotOf(stored.originMs, originMs, rules);
  const length = Math.max(slotOf(last, originMs, rules) + 1, stored.rows.length + shift);
  const rows: (LayoutRow | null)[] = new Array(length).fill(null);
  for (const [ms, row] of byInstant) {
    const slot = slotOf(ms, originMs, rules);
    if (slot < 0) throw outside(ms, `from ${instant(originMs)} on`);
    rows[slot] = row;
  }
  return { originMs, rows };
}

/** Arrivals are known to fit; what was published under another calendar may not. */
function slotOf(ms: number, originMs: number, { calendar, steps }: PlacementRules): number {
  if (!calendar.isStep(originMs)) throw outside(originMs, "a step of the calendar");
  const slot = calendar.positionOf(ms, originMs) / steps;
  if (!Number.isSafeInteger(slot))
    throw outside(ms, steps === 1 ? "a step of the calendar" : `every ${steps}th step of the calendar`);
  return slot;
}

function outside(ms: number, expected: string): FreshetError {
  return new FreshetError("dataset-file", "the calendar has no place for a granule that is published", {
    found: instant(ms),
    expected,
    remedy: "Go back to the calendar that the product was begun with, or give it a new store",
  });
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
