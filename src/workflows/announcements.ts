import type { Announcement } from "../contract/index.ts";

/** How many different announcements of one granule are kept while it is busy; a source that says more repeats itself. */
const MOST_WAITING = 32;

/**
 * The announcements that still have to be looked at, with a new one added: one that says the same as the last (same place,
 * same promise) adds nothing, and the oldest give way beyond the limit, since a later look sees the later bytes.
 */
export function withAnnouncement(waiting: readonly Announcement[], next: Announcement): readonly Announcement[] {
  const last = waiting.at(-1);
  if (last !== undefined && promiseOf(last) === promiseOf(next)) return waiting;
  return [...waiting, next].slice(-MOST_WAITING);
}

/** True for two that name one place. */
export function isSamePlace(a: Announcement, b: Announcement): boolean {
  return a.uri === b.uri;
}

/** True where both say what is in one place, and not the same. That something is gone is for its own turn: the source is asked then. */
export function isOtherPromise(a: Announcement, b: Announcement): boolean {
  return isSamePlace(a, b) && a.removed !== true && b.removed !== true && promiseOf(a) !== promiseOf(b);
}

function promiseOf({ uri, size, checksum, removed }: Announcement): string {
  return JSON.stringify([uri, size ?? null, checksum ?? null, removed ?? false]);
}
