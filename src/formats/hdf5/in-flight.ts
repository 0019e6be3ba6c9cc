import { READS_IN_FLIGHT } from "./limits.ts";

/**
 * Starts `read` for the items, a bounded number ahead, and gives each result to `take` in the order of the items. The first
 * failure ends it, after the reads that are under way have come to rest.
 */
export async function inFlight<Item, Result>(
  items: readonly Item[],
  read: (item: Item) => Promise<Result>,
  take: (result: Result, item: Item) => Promise<void> | void,
): Promise<void> {
  for (let start = 0; start < items.length; start += READS_IN_FLIGHT) {
    const batch = items.slice(start, start + READS_IN_FLIGHT);
    const results = await Promise.allSettled(batch.map(read));
    for (const [index, result] of results.entries()) {
      if (result.status === "rejected") throw result.reason;
      await take(result.value, batch[index] as Item);
    }
  }
}
