import type { CollectionProduct } from "../dataset/index.ts";
import { instant } from "./granule-shape.ts";
import type { Layout, LayoutRow } from "./layout.ts";
import type { Arrival, DisplacedRow, Placement, ReadyArrival } from "./placement.ts";

/**
 * The wanted layout of a collection: the stored one with the arrivals put among the others, one after the other in the order
 * given, in which the ledger says that they became ready. A later revision of a granule takes the place of the earlier one; what
 * is withdrawn goes if it is that revision that stands there. The result does not depend on how the arrivals are cut into batches.
 *
 * - Along time: ascending by the first step. Of two granules with the same first step the later arrival stays; one whose steps
 *   lie among those of another has no place.
 * - Along granules: by the declared fields, then by key; all have a place.
 * - Without an axis: the newest by the declared field stays, of equals the later arrival.
 */
export function placeInOrder(stored: Layout, arrivals: readonly Arrival[], product: CollectionProduct): Placement {
  const places = new Sorted(stored, orderOf(product));
  const rejected: { arrival: ReadyArrival; reason: string }[] = [];
  const displaced: DisplacedRow[] = [];
  for (const arrival of arrivals) {
    const earlier = places.standing(arrival.key);
    if (arrival.state === "withdrawn") {
      if (earlier !== undefined && (arrival.identity === undefined || arrival.identity === earlier.identity))
        places.remove(earlier);
      continue;
    }
    const { state: _, misfit: reason, ...row } = arrival;
    if (earlier !== undefined) places.remove(earlier);
    const why = reason ?? (product.along === "coordinate" ? overlapOf(row, places) : undefined);
    if (why !== undefined) {
      if (earlier !== undefined) places.insert(earlier);
      rejected.push({ arrival, reason: why });
      continue;
    }
    const { at: rival } = places.around(row);
    const other =
      product.along === "none"
        ? places.first
        : product.along === "coordinate" && rival?.validMs === row.validMs
          ? rival
          : undefined;
    if (other !== undefined && product.along === "none" && orderOf(product)(row, other) < 0) {
      displaced.push({ ...row, reason: `${other.key} is newer, and is all of the product` });
      continue;
    }
    if (other !== undefined) {
      displaced.push(product.along === "none" ? { ...other, reason: `${row.key} is newer, and is all of the product` } : other);
      places.remove(other);
    }
    places.insert(row);
  }
  return { layout: places.layOut(), rejected, displaced };
}

type Order = (a: LayoutRow, b: LayoutRow) => number;

function orderOf(product: CollectionProduct): Order {
  switch (product.along) {
    case "coordinate":
      return (a, b) => a.validMs - b.validMs;
    case "granule":
      return (a, b) => {
        for (const field of product.order) {
          const order = compareFields(a, b, field);
          if (order !== 0) return order;
        }
        return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
      };
    case "none":
      return (a, b) => compareFields(a, b, product.newest);
  }
}

/** Numbers by size, texts by their characters; what lacks the field comes first. */
function compareFields({ fields: a = {} }: LayoutRow, { fields: b = {} }: LayoutRow, field: string): number {
  const [one, other] = [a[field], b[field]];
  if (one === other) return 0;
  if (one === undefined) return -1;
  if (other === undefined) return 1;
  return one < other ? -1 : 1;
}

/** Why the steps of a granule cannot stand beside those of its neighbours; one with the same first step is none. */
function overlapOf(row: LayoutRow, places: Sorted): string | undefined {
  const { before, at, after } = places.around(row);
  const next = at?.validMs === row.validMs ? after : at;
  if (before !== undefined && lastOf(before) >= row.validMs) return describeOverlap(row, before);
  return next !== undefined && lastOf(row) >= next.validMs ? describeOverlap(row, next) : undefined;
}

function lastOf({ validMs, lastMs }: LayoutRow): number {
  return lastMs ?? validMs;
}

function describeOverlap(row: LayoutRow, other: LayoutRow): string {
  const span = (of: LayoutRow): string => [...new Set([of.validMs, lastOf(of)])].map((ms) => instant(ms)).join(" to ");
  return `valid ${span(row)}, which overlaps ${other.key}: ${span(other)}`;
}

/** Rows in order, while granules are put among them. */
class Sorted {
  readonly #stored: Layout;
  readonly #order: Order;
  readonly #rows: LayoutRow[] = [];
  readonly #byKey = new Map<string, LayoutRow>();
  /** The first place at which something is other than it was stored. */
  #changedFrom: number;

  constructor(stored: Layout, order: Order) {
    this.#stored = stored;
    this.#order = order;
    for (const [, row] of stored.rows()) {
      this.#rows.push(row);
      this.#byKey.set(row.key, row);
    }
    this.#changedFrom = this.#rows.length;
  }

  get first(): LayoutRow | undefined {
    return this.#rows[0];
  }

  standing(key: string): LayoutRow | undefined {
    return this.#byKey.get(key);
  }

  /** What stands where the row belongs, and on both sides of that. */
  around(row: LayoutRow): { before: LayoutRow | undefined; at: LayoutRow | undefined; after: LayoutRow | undefined } {
    const index = this.#indexOf(row);
    return { before: this.#rows[index - 1], at: this.#rows[index], after: this.#rows[index + 1] };
  }

  insert(row: LayoutRow): void {
    const index = this.#indexOf(row);
    this.#rows.splice(index, 0, row);
    this.#byKey.set(row.key, row);
    this.#changedFrom = Math.min(this.#changedFrom, index);
  }

  /** @param row one of those that stand here. */
  remove(row: LayoutRow): void {
    const index = this.#rows.indexOf(row, this.#indexOf(row));
    this.#rows.splice(index, 1);
    this.#byKey.delete(row.key);
    this.#changedFrom = Math.min(this.#changedFrom, index);
  }

  layOut(): Layout {
    const { length } = this.#rows;
    const from = this.#changedFrom;
    if (from >= length && length === this.#stored.slots) return this.#stored;
    return this.#stored.with(new Map(this.#rows.slice(from).map((row, index) => [from + index, row])), length, 0);
  }

  /** The first place whose row is not before this one. */
  #indexOf(row: LayoutRow): number {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#order(this.#rows[middle] as LayoutRow, row) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
