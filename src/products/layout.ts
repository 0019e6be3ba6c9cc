import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { FreshetError } from "../errors/index.ts";

/** A cell of the layout: the revision that stands there. */
export interface LayoutRow {
  readonly key: string;
  readonly identity: string;
  /** First step of the granule, milliseconds since 1970. */
  readonly validMs: number;
  /** What its slot is counted from, where that is not `validMs`: in a forecast, the cell of its first step. */
  readonly place?: number | undefined;
  /** Last step of the granule, where a collection needs it: milliseconds since 1970. */
  readonly lastMs?: number | undefined;
  /** What a collection needs of the granule's name, by field. */
  readonly fields?: Readonly<Record<string, string | number>> | undefined;
  readonly scan: { readonly uri: string; readonly sha256: string };
}

/** Where a granule belongs: an instant, or the place of a forecast's cell. */
export function rowPlace({ place, validMs }: Pick<LayoutRow, "place" | "validMs">): number {
  return place ?? validMs;
}

/** Slots to write: `row` null makes a gap. */
export interface SlotChange {
  readonly slot: number;
  readonly row: LayoutRow | null;
}

export interface LayoutDifference {
  readonly changes: readonly SlotChange[];
  /** Slots before and after. */
  readonly from: number;
  readonly to: number;
  /** Granules that were not there, that stand with another revision (or scan), that are gone. */
  readonly added: number;
  readonly replaced: number;
  readonly removed: number;
}

/** Rows to a page. A page is what one publication rewrites of the stored layout for one changed slot. */
export const PAGE_ROWS = 128;

type Rows = readonly (LayoutRow | null)[];

interface Page {
  readonly rows: Rows;
  digest?: Buffer;
}

/**
 * The wanted or stored content of a time series: slot by slot the revision that stands there, or null for a gap. A slot is
 * one granule wide. It is a table of revisions, not of chunks.
 *
 * Never changes. What `with` makes shares all pages but the changed ones, so that a publication costs what it changes: only
 * `settle`, called when a layout has become the stored one, moves the index of keys on to it.
 */
export class Layout {
  static readonly EMPTY: Layout = Layout.of(null, []);

  /** Where slot 0 is: an instant in milliseconds since 1970, or a place; null while there is no slot. */
  readonly originMs: number | null;
  readonly slots: number;
  /** Slots that are no gaps. */
  readonly granules: number;
  readonly #pages: readonly Page[];
  /** What it was made from by `with`, until it is settled. */
  #base: Layout | undefined;
  /** Slots that differ from the base's. */
  #changed: ReadonlySet<number>;
  /** Of all keys, or, over a base, of those that moved (undefined: is gone). */
  #slotOfKey: Map<string, number | undefined> | undefined;
  #hash: string | undefined;

  private constructor(originMs: number | null, slots: number, granules: number, pages: readonly Page[]) {
    this.originMs = originMs;
    this.slots = slots;
    this.granules = granules;
    this.#pages = pages;
    this.#changed = new Set();
  }

  static of(originMs: number | null, rows: Rows): Layout {
    const pages: Page[] = [];
    for (let slot = 0; slot < rows.length; slot += PAGE_ROWS) pages.push({ rows: rows.slice(slot, slot + PAGE_ROWS) });
    const granules = rows.reduce((count, row) => count + (row === null ? 0 : 1), 0);
    return new Layout(rows.length === 0 ? null : originMs, rows.length, granules, pages);
  }

  /** What stands in a slot; null beyond the last one too. */
  at(slot: number): LayoutRow | null {
    return this.#pages[Math.floor(slot / PAGE_ROWS)]?.rows[slot % PAGE_ROWS] ?? null;
  }

  /** Every granule with its slot, ascending. */
  *rows(): Generator<readonly [slot: number, row: LayoutRow]> {
    for (const [page, { rows }] of this.#pages.entries()) {
      for (const [index, row] of rows.entries()) if (row !== null) yield [page * PAGE_ROWS + index, row];
    }
  }

  /** Where a granule stands. */
  slotOf(key: string): number | undefined {
    if (this.#base === undefined) return this.#index().get(key);
    const own = this.#index();
    return own.has(key) ? own.get(key) : this.#base.slotOf(key);
  }

  /** The revision of a granule that stands here. */
  standing(key: string): LayoutRow | undefined {
    const slot = this.slotOf(key);
    return slot === undefined ? undefined : (this.at(slot) ?? undefined);
  }

  /** The same with other rows in some slots, and `slots` slots; new ones that are not named are gaps. The origin stays. */
  with(changes: ReadonlyMap<number, LayoutRow | null>, slots: number, originMs: number | null = this.originMs): Layout {
    const pages = this.#pages.slice(0, Math.ceil(slots / PAGE_ROWS));
    let granules = this.granules;
    const changed = new Set<number>();
    const drafts = new Map<number, (LayoutRow | null)[]>();
    const draft = (page: number): (LayoutRow | null)[] => {
      const length = Math.min(PAGE_ROWS, slots - page * PAGE_ROWS);
      const known = drafts.get(page) ?? Array.from({ length }, (_, index) => this.at(page * PAGE_ROWS + index));
      drafts.set(page, known);
      return known;
    };
    for (let slot = slots; slot < this.slots; slot++) {
      if (this.at(slot) !== null) granules--;
      changed.add(slot);
    }
    if (slots !== this.slots) {
      const first = Math.floor(Math.min(slots, this.slots) / PAGE_ROWS);
      for (let page = first; page * PAGE_ROWS < slots; page++) draft(page);
      for (let slot = this.slots; slot < slots; slot++) changed.add(slot);
    }
    for (const [slot, row] of changes) {
      const rows = draft(Math.floor(slot / PAGE_ROWS));
      granules += (row === null ? 0 : 1) - (rows[slot % PAGE_ROWS] === null ? 0 : 1);
      rows[slot % PAGE_ROWS] = row;
      changed.add(slot);
    }
    for (const [page, rows] of drafts) pages[page] = { rows };
    const next = new Layout(slots === 0 ? null : originMs, slots, granules, pages);
    next.#base = this;
    next.#changed = changed;
    return next;
  }

  /** Slots that may differ from `base`, ascending; undefined when this was not made from it. */
  changedSince(base: Layout): readonly number[] | undefined {
    if (this === base) return [];
    return this.#base === base ? [...this.#changed].sort((a, b) => a - b) : undefined;
  }

  /** This is the stored layout now: its base, which is not asked any more, hands its index over. */
  settle(): void {
    if (this.#base === undefined) return;
    const moved = this.#index();
    const index = this.#base.#base === undefined ? this.#base.#slotOfKey : undefined;
    this.#base.#slotOfKey = undefined;
    this.#base = undefined;
    this.#changed = new Set();
    this.#slotOfKey = index;
    if (index === undefined) return;
    for (const [key, slot] of moved) {
      if (slot === undefined) index.delete(key);
      else index.set(key, slot);
    }
  }

  get pageCount(): number {
    return this.#pages.length;
  }

  /** One page as JSON text. `page` counts from 0. */
  page(page: number): string {
    const { rows } = this.#pages[page] as Page;
    return JSON.stringify(rows.map((row) => row && textOfRow(row)));
  }

  /** sha256 over the pages' own sha256s and the origin: equal layouts, and only they, have the same. */
  get hash(): string {
    if (this.#hash !== undefined) return this.#hash;
    const hash = createHash("sha256").update(`${this.originMs}`);
    for (const [index, page] of this.#pages.entries()) {
      page.digest ??= createHash("sha256").update(this.page(index)).digest();
      hash.update(page.digest);
    }
    this.#hash = hash.digest("hex");
    return this.#hash;
  }

  #index(): Map<string, number | undefined> {
    if (this.#slotOfKey !== undefined) return this.#slotOfKey;
    const index = new Map<string, number | undefined>();
    if (this.#base === undefined) {
      for (const [slot, row] of this.rows()) index.set(row.key, slot);
    } else {
      for (const slot of this.#changed) {
        const before = this.#base.at(slot);
        if (before !== null && !index.has(before.key)) index.set(before.key, undefined);
      }
      for (const slot of this.#changed) {
        const after = this.at(slot);
        if (after !== null) index.set(after.key, slot);
      }
    }
    this.#slotOfKey = index;
    return index;
  }
}

/**
 * What turns `stored` into `wanted`. Slots that hold the same revision in both are not in it, nor are gaps in both, unless
 * `isRetimed` says that slots stand for other instants than they did.
 */
export function differenceOf(stored: Layout, wanted: Layout, isRetimed = false): LayoutDifference {
  const isMoved = stored.originMs !== null && wanted.originMs !== stored.originMs && wanted.slots > 0;
  const known = isMoved || isRetimed ? undefined : wanted.changedSince(stored);
  const changes: SlotChange[] = [];
  const count = { added: 0, replaced: 0, removed: 0 };
  for (const slot of known ?? allSlots(stored, wanted)) {
    const before = stored.at(slot);
    const after = wanted.at(slot);
    if (slot < wanted.slots) {
      const isNew = slot >= stored.slots;
      // A slot's own instant is the origin's business: when that moves, even a gap gets another time value.
      if (isNew || isMoved || (isRetimed && after === null) || !isSameRow(before, after)) changes.push({ slot, row: after });
    }
    if (before !== null && wanted.slotOf(before.key) === undefined) count.removed++;
    if (after === null) continue;
    const earlier = stored.standing(after.key);
    if (earlier === undefined) count.added++;
    else if (earlier.identity !== after.identity || earlier.scan.sha256 !== after.scan.sha256) count.replaced++;
  }
  return { changes, from: stored.slots, to: wanted.slots, ...count };
}

function textOfRow({ key, identity, validMs, scan, place, lastMs, fields }: LayoutRow): unknown[] {
  const row = [key, identity, validMs, scan.uri, scan.sha256];
  if (lastMs !== undefined || fields !== undefined) return [...row, place ?? null, { lastMs, fields }];
  return place === undefined ? row : [...row, place];
}

function* allSlots(stored: Layout, wanted: Layout): Generator<number> {
  for (let slot = 0; slot < Math.max(stored.slots, wanted.slots); slot++) yield slot;
}

/** The rows of one page. @throws FreshetError `corrupt`. */
export function readPage(text: string): (LayoutRow | null)[] {
  const corrupt = (): never => {
    throw new FreshetError("corrupt", "a stored layout page is not one of ours", { found: text.slice(0, 80) });
  };
  const rows = parsed(text);
  if (!Array.isArray(rows)) return corrupt();
  return rows.map((row: unknown) => {
    if (row === null) return null;
    if (!Array.isArray(row) || row.length < 5 || row.length > 7) return corrupt();
    const [key, identity, validMs, uri, sha256, place, more] = row as [string, string, number, string, string, number?, object?];
    if ([key, identity, uri, sha256].some((member) => typeof member !== "string") || typeof validMs !== "number")
      return corrupt();
    if (place !== undefined && place !== null && !Number.isSafeInteger(place)) return corrupt();
    if (more !== undefined && !isMore(more)) return corrupt();
    return { key, identity, validMs, scan: { uri, sha256 }, ...(Number.isSafeInteger(place) ? { place } : {}), ...more };
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isMore(more: unknown): more is Pick<LayoutRow, "lastMs" | "fields"> {
  if (typeof more !== "object" || more === null) return false;
  const { lastMs, fields = {}, ...others } = more as Record<string, unknown>;
  if (Object.keys(others).length > 0 || (lastMs !== undefined && typeof lastMs !== "number")) return false;
  if (typeof fields !== "object" || fields === null) return false;
  return Object.values(fields).every((value) => typeof value === "string" || typeof value === "number");
}

function isSameRow(a: LayoutRow | null, b: LayoutRow | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    a.key === b.key &&
    a.identity === b.identity &&
    a.scan.sha256 === b.scan.sha256 &&
    a.validMs === b.validMs &&
    a.place === b.place &&
    a.lastMs === b.lastMs &&
    isDeepStrictEqual(a.fields, b.fields)
  );
}
