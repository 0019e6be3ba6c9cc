import { READS_IN_FLIGHT } from "./limits.ts";

/**
 * Starts `read` for the items, a bounded number at a time, and gives each result to `take` in the order of the items. The first
 * failure ends it, after the reads that are under way have come to rest.
 */
export async function inFlight<Item, Result>(
  items: Iterable<Item>,
  read: (item: Item) => Promise<Result>,
  take: (result: Result, item: Item) => Promise<void> | void,
): Promise<void> {
  for (const batch of batchesOf(items)) {
    const results = await Promise.allSettled(batch.map(read));
    for (const [index, result] of results.entries()) {
      if (result.status === "rejected") throw result.reason;
      await take(result.value, batch[index] as Item);
    }
  }
}

function* batchesOf<Item>(items: Iterable<Item>): Generator<readonly Item[]> {
  let batch: Item[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < READS_IN_FLIGHT) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
