import { FreshetError } from "../errors/index.ts";
import { Layout, type LayoutRow, rowPlace } from "./layout.ts";

/** The arithmetic of what slots stand for: the instants of a declared calendar, or the cells of a forecast, counted from any of them. */
export interface CalendarArithmetic {
  /** One of them in words. */
  describe(ms: number): string;
  /** Whether an instant has a place: on a step, and inside the declared bounds. */
  isOn(ms: number): boolean;
  /** Whether it is on a step, bounds aside. */
  isStep(ms: number): boolean;
  /** Steps from `originMs`, which is on a step, to `ms`; negative before it, NaN beside the steps. */
  positionOf(ms: number, originMs: number): number;
  /** The instant `position` steps after `originMs`. */
  timeAt(position: number, originMs: number): number;
  /** The instant at which an axis begins that has this one: the same, or the beginning of a run. */
  beginOf(ms: number): number;
}

/** A revision that the ledger says is ready. */
export interface ReadyArrival extends LayoutRow {
  readonly state: "ready";
  /** Why it has no place, where that shows without the axis. */
  readonly misfit?: string | undefined;
}

/** What the ledger has news of. A withdrawn revision may never have been scanned. */
export type Arrival =
  | ReadyArrival
  | {
      readonly state: "withdrawn";
      readonly key: string;
      /** Only this revision leaves; undefined: whichever stands there. */
      readonly identity: string | undefined;
    };

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
  /** Revisions that lost their place to another granule. */
  readonly displaced: readonly DisplacedRow[];
}

/** A revision that lost its place to another granule: of the same instant, where no other reason is given. */
export type DisplacedRow = LayoutRow & { readonly reason?: string };

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
 *
 * On a calendar a place is arithmetic, and this costs what arrives; with `isRetimed` (the stored slots follow other rules), an
 * earlier origin, or without gaps everything is laid out anew.
 * @throws FreshetError `dataset-file` when the calendar has no places for what is stored.
 */
export function placeArrivals(stored: Layout, arrivals: readonly Arrival[], rules: PlacementRules, isRetimed = false): Placement {
  const places = isRetimed ? new Instants(stored) : (Slots.over(stored, arrivals, rules) ?? new Instants(stored));
  const rejected: { arrival: ReadyArrival; reason: string }[] = [];
  const displaced: LayoutRow[] = [];
  const reach = new Reach(rules);
  for (const ms of places.bounds()) reach.add(ms);
  for (const arrival of arrivals) {
    const earlier = places.standing(arrival.key);
    if (arrival.state === "withdrawn") {
      if (earlier === undefined || (arrival.identity !== undefined && arrival.identity !== earlier.identity)) continue;
      places.clear(earlier);
      continue;
    }
    const reason = arrival.misfit ?? misfit(arrival, rules) ?? reach.refusal(rowPlace(arrival));
    if (reason !== undefined) {
      rejected.push({ arrival, reason });
      continue;
    }
    reach.add(rowPlace(arrival));
    if (earlier !== undefined) places.clear(earlier);
    const { key, identity, validMs, scan, place } = arrival;
    const rival = places.at(rowPlace(arrival));
    if (rival !== undefined) {
      displaced.push(rival);
      places.clear(rival);
    }
    places.set({ key, identity, validMs, scan, ...(place === undefined ? {} : { place }) });
  }
  return { layout: places.layOut(rules), rejected, displaced };
}

/** The granules by their instants, while they are being placed. */
interface Places {
  /** Instants between which everything lies. */
  bounds(): readonly number[];
  standing(key: string): LayoutRow | undefined;
  at(place: number): LayoutRow | undefined;
  set(row: LayoutRow): void;
  clear(row: LayoutRow): void;
  layOut(rules: PlacementRules): Layout;
}

/** Changes over the stored slots: an instant's slot is arithmetic. */
class Slots implements Places {
  readonly #stored: Layout;
  readonly #slotOfInstant: (ms: number) => number;
  readonly #instantOfSlot: (slot: number) => number;
  readonly #changes = new Map<number, LayoutRow | null>();
  readonly #keys = new Map<string, LayoutRow | undefined>();
  #slots: number;

  private constructor(stored: Layout, originMs: number, { calendar, steps }: PlacementRules) {
    this.#stored = stored;
    this.#slots = stored.slots;
    this.#slotOfInstant = (ms) => calendar.positionOf(ms, originMs) / steps;
    this.#instantOfSlot = (slot) => calendar.timeAt(slot * steps, originMs);
  }

  /** Undefined where slots would have to move. */
  static over(stored: Layout, arrivals: readonly Arrival[], rules: PlacementRules): Slots | undefined {
    const { originMs } = stored;
    if (rules.missing === "omit" || originMs === null || (rules.fromMs !== undefined && rules.fromMs !== originMs))
      return undefined;
    const isEarlier = (arrival: Arrival): boolean => arrival.state === "ready" && !(rowPlace(arrival) >= originMs);
    return arrivals.some(isEarlier) ? undefined : new Slots(stored, originMs, rules);
  }

  bounds(): readonly number[] {
    return this.#slots === 0 ? [] : [this.#instantOfSlot(0), this.#instantOfSlot(this.#slots - 1)];
  }

  standing(key: string): LayoutRow | undefined {
    return this.#keys.has(key) ? this.#keys.get(key) : this.#stored.standing(key);
  }

  at(validMs: number): LayoutRow | undefined {
    const slot = this.#slotOfInstant(validMs);
    const changed = this.#changes.get(slot);
    return (changed === undefined ? this.#stored.at(slot) : changed) ?? undefined;
  }

  set(row: LayoutRow): void {
    const slot = this.#slotOfInstant(rowPlace(row));
    this.#slots = Math.max(this.#slots, slot + 1);
    this.#changes.set(slot, row);
    this.#keys.set(row.key, row);
  }

  clear(row: LayoutRow): void {
    this.#changes.set(this.#slotOfInstant(rowPlace(row)), null);
    this.#keys.set(row.key, undefined);
  }

  layOut(): Layout {
    return this.#stored.with(this.#changes, this.#slots);
  }
}

/** All of them, to be laid out anew. */
class Instants implements Places {
  readonly #stored: Layout;
  readonly #byInstant = new Map<number, LayoutRow>();
  readonly #byKey = new Map<string, LayoutRow>();
  readonly #bounds: number[] = [];

  constructor(stored: Layout) {
    this.#stored = stored;
    if (stored.originMs !== null) this.#bounds.push(stored.originMs);
    for (const [, row] of stored.rows()) this.set(row);
    for (const ms of this.#byInstant.keys()) this.#bounds.push(ms);
  }

  bounds(): readonly number[] {
    return this.#bounds;
  }

  standing(key: string): LayoutRow | undefined {
    return this.#byKey.get(key);
  }

  at(validMs: number): LayoutRow | undefined {
    return this.#byInstant.get(validMs);
  }

  set(row: LayoutRow): void {
    this.#byInstant.set(rowPlace(row), row);
    this.#byKey.set(row.key, row);
  }

  clear(row: LayoutRow): void {
    this.#byInstant.delete(rowPlace(row));
    this.#byKey.delete(row.key);
  }

  layOut(rules: PlacementRules): Layout {
    return layOut(this.#byInstant, this.#stored, rules);
  }
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
    return `${calendar.describe(ms)}, which would stretch the axis to ${Math.ceil(slots)} places, more than ${MOST_SLOTS}`;
  }
}

function layOut(byInstant: ReadonlyMap<number, LayoutRow>, stored: Layout, rules: PlacementRules): Layout {
  const instants = [...byInstant.keys()].sort((a, b) => a - b);
  const first = instants[0];
  const last = instants.at(-1);
  if (rules.missing === "omit") {
    return Layout.of(
      first ?? null,
      instants.map((ms) => byInstant.get(ms) as LayoutRow),
    );
  }
  if (first === undefined || last === undefined) {
    return Layout.of(
      stored.originMs,
      Array.from({ length: stored.slots }, () => null),
    );
  }
  // The beginning and the end never move inwards: a withdrawn first day leaves a gap, not another numbering.
  const originMs = rules.fromMs ?? rules.calendar.beginOf(Math.min(first, stored.originMs ?? first));
  const shift = stored.originMs === null ? 0 : slotOf(stored.originMs, originMs, rules);
  const length = Math.max(slotOf(last, originMs, rules) + 1, stored.slots + shift);
  const rows: (LayoutRow | null)[] = new Array(length).fill(null);
  for (const [ms, row] of byInstant) {
    const slot = slotOf(ms, originMs, rules);
    if (slot < 0) throw outside(rules.calendar.describe(ms), `from ${rules.calendar.describe(originMs)} on`);
    rows[slot] = row;
  }
  return Layout.of(originMs, rows);
}

/** Arrivals are known to fit; what was published under another calendar may not. */
function slotOf(ms: number, originMs: number, { calendar, steps }: PlacementRules): number {
  if (!calendar.isStep(originMs)) throw outside(calendar.describe(originMs), "a step of the calendar");
  const slot = calendar.positionOf(ms, originMs) / steps;
  if (!Number.isSafeInteger(slot))
    throw outside(calendar.describe(ms), steps === 1 ? "a step of the calendar" : `every ${steps}th step of the calendar`);
  return slot;
}

function outside(found: string, expected: string): FreshetError {
  return new FreshetError("dataset-file", "the calendar has no place for a granule that is published", {
    found,
    expected,
    remedy: "Go back to the calendar that the product was begun with, or give it a new store",
  });
}

/** Why an instant has no place, or undefined. `validMs` is the granule's first step. */
export function misfit(
  row: Pick<LayoutRow, "validMs" | "place">,
  { calendar, anchorMs, steps }: PlacementRules,
): string | undefined {
  const place = rowPlace(row);
  if (!calendar.isOn(place)) return `${calendar.describe(place)}, which is not on the declared calendar`;
  if (steps > 1 && calendar.positionOf(place, anchorMs) % steps !== 0) {
    return `${calendar.describe(place)}, which is inside another granule's steps: granules of ${steps} steps follow each other from ${calendar.describe(anchorMs).replace("valid ", "")} on (\`calendar.from\`, the first step of any granule)`;
  }
  return undefined;
}

/** The same for all steps of a granule: on a calendar with gaps they follow it one by one. */
export function misfitOfSteps(validMs: readonly number[], rules: PlacementRules): string | undefined {
  const first = validMs[0] as number;
  const reason = misfit({ validMs: first }, rules);
  if (reason !== undefined || rules.missing === "omit") return reason;
  const wrong = validMs.findIndex((ms, step) => ms !== rules.calendar.timeAt(step, first));
  if (wrong < 0) return undefined;
  return `step ${wrong + 1} ${rules.calendar.describe(validMs[wrong] as number)}, which the calendar has ${rules.calendar.describe(rules.calendar.timeAt(wrong, first))}`;
}
