import { READS_IN_FLIGHT } from "./limits.ts";

/**
 * Starts `read` for the items, `most` of them ahead of the one that is taken, and gives each result to `take` in the order of the items. The
 * first failure ends it, after the reads that are under way have come to rest.
 */
export async function inFlight<Item, Result>(
  items: Iterable<Item>,
  read: (item: Item) => Promise<Result>,
  take: (result: Result, item: Item) => Promise<void> | void,
  most = READS_IN_FLIGHT,
): Promise<void> {
  const under: { readonly item: Item; readonly result: Promise<Result> }[] = [];
  try {
    for (const item of items) {
      const result = read(item);
      // Whoever takes it hears of a failure; until then it is not one that nobody handles.
      result.catch(() => undefined);
      under.push({ item, result });
      if (under.length < most) continue;
      await takeFirst();
    }
    while (under.length > 0) await takeFirst();
  } catch (error) {
    await Promise.allSettled(under.map(({ result }) => result));
    throw error;
  }

  async function takeFirst(): Promise<void> {
    const [first] = under.splice(0, 1) as [(typeof under)[number]];
    await take(await first.result, first.item);
  }
}
