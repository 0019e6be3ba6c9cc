/** No attempt takes as long. */
const ABANDONED_MS = 24 * 3_600_000;
const LOOK_THROUGH_MS = 3_600_000;

/** When each place was last looked through, milliseconds since 1970. */
const lookedThrough = new Map<string, number>();

/**
 * What was being copied when a process died, and nobody has gone on with: looked for once an hour in each place.
 * @param tidy removes what has not changed since a moment.
 */
export async function tidyAbandoned(place: string, tidy: (beforeMs: number) => Promise<void>): Promise<void> {
  if (Date.now() - (lookedThrough.get(place) ?? 0) < LOOK_THROUGH_MS) return;
  lookedThrough.set(place, Date.now());
  await tidy(Date.now() - ABANDONED_MS);
}
