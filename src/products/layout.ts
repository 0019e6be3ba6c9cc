import { createHash } from "node:crypto";
import { FreshetError } from "../errors/index.ts";

/** A cell of the layout: the revision that stands there. */
export interface LayoutRow {
  readonly key: string;
  readonly identity: string;
  /** First step of the granule, milliseconds since 1970. */
  readonly validMs: number;
  readonly scan: { readonly uri: string; readonly sha256: string };
}

/**
 * The wanted or stored content of a time series: slot by slot the revision that stands there, or null for a gap. A slot is
 * one granule wide (`steps` steps). It is a table of revisions, not of chunks.
 */
export interface Layout {
  /** Instant of slot 0, milliseconds since 1970; null while there is no slot. */
  readonly originMs: number | null;
  readonly rows: readonly (LayoutRow | null)[];
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
  /** Granules that were not there, that stand with another revision (or elsewhere), that are gone. */
  readonly added: number;
  readonly replaced: number;
  readonly removed: number;
}

export const EMPTY_LAYOUT: Layout = { originMs: null, rows: [] };

/** Rows to a page. A page is what one publication rewrites of the stored layout for one changed slot. */
export const PAGE_ROWS = 128;

/**
 * What turns `stored` into `wanted`. Slots that hold the same revision in both are not in it, nor are gaps in both, unless
 * `isRetimed` says that slots stand for other instants than they did.
 */
export function differenceOf(stored: Layout, wanted: Layout, isRetimed = false): LayoutDifference {
  const changes: SlotChange[] = [];
  const isMoved = stored.originMs !== null && wanted.originMs !== stored.originMs && wanted.rows.length > 0;
  for (let slot = 0; slot < wanted.rows.length; slot++) {
    const before = stored.rows[slot] ?? null;
    const after = wanted.rows[slot] ?? null;
    const isNew = slot >= stored.rows.length;
    // A slot's own instant is the origin's business: when that moves, even a gap gets another time value.
    if (isNew || isMoved || (isRetimed && after === null) || !isSameRow(before, after)) changes.push({ slot, row: after });
  }
  const before = standingIn(stored);
  let added = 0;
  let replaced = 0;
  let kept = 0;
  for (const row of wanted.rows) {
    if (row === null) continue;
    const identity = before.get(row.key);
    if (identity === undefined) added++;
    else if (identity !== row.identity) replaced++;
    if (identity !== undefined) kept++;
  }
  return { changes, from: stored.rows.length, to: wanted.rows.length, added, replaced, removed: before.size - kept };
}

/** The layout as pages of JSON text; page k holds the slots from k * PAGE_ROWS on. */
export function pagesOf(layout: Layout): string[] {
  const pages: string[] = [];
  for (let slot = 0; slot < layout.rows.length; slot += PAGE_ROWS) pages.push(pageOf(layout, slot / PAGE_ROWS));
  return pages;
}

/** One page. `page` counts from 0. */
export function pageOf(layout: Layout, page: number): string {
  const rows = layout.rows.slice(page * PAGE_ROWS, (page + 1) * PAGE_ROWS);
  return JSON.stringify(rows.map((row) => row && [row.key, row.identity, row.validMs, row.scan.uri, row.scan.sha256]));
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
    if (!Array.isArray(row) || row.length !== 5) return corrupt();
    const [key, identity, validMs, uri, sha256] = row as [string, string, number, string, string];
    if ([key, identity, uri, sha256].some((member) => typeof member !== "string") || typeof validMs !== "number")
      return corrupt();
    return { key, identity, validMs, scan: { uri, sha256 } };
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** sha256 over the pages' own sha256s and the origin: equal layouts, and only they, have the same. */
export function layoutHash(originMs: number | null, pages: readonly string[]): string {
  const hash = createHash("sha256").update(`${originMs}`);
  for (const page of pages) hash.update(createHash("sha256").update(page).digest());
  return hash.digest("hex");
}

/** Granules in the layout. */
export function granulesOf(layout: Layout): number {
  return layout.rows.reduce((count, row) => count + (row === null ? 0 : 1), 0);
}

/** The identity that stands in the layout, by key. */
export function standingIn(layout: Layout): ReadonlyMap<string, string> {
  return new Map(layout.rows.flatMap((row) => (row === null ? [] : [[row.key, row.identity] as const])));
}

function isSameRow(a: LayoutRow | null, b: LayoutRow | null): boolean {
  if (a === null || b === null) return a === b;
  return a.key === b.key && a.identity === b.identity && a.scan.sha256 === b.scan.sha256 && a.validMs === b.validMs;
}
