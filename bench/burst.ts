import { round } from "./figures.ts";
import { Whole } from "./whole.ts";

/** Announcements that are under way at once. */
const AT_ONCE = 20;

/** So many granules announced as fast as they are held: how many a minute become readable. */
export async function burst(count: number, coalesce: string): Promise<Record<string, string | number>[]> {
  const whole = await Whole.start(coalesce);
  try {
    const uris: string[] = [];
    for (let hour = 0; hour < count + 1; hour++) uris.push(await whole.put(hour));
    await whole.announce(uris.pop() as string);
    await whole.published(1);
    const started = performance.now();
    const lanes = Array.from({ length: AT_ONCE }, async () => {
      for (let uri = uris.pop(); uri !== undefined; uri = uris.pop()) await whole.announce(uri);
    });
    await Promise.all(lanes);
    const held = (performance.now() - started) / 1000;
    await whole.published(count + 1);
    const seconds = (performance.now() - started) / 1000;
    const publications = (await whole.worker.ledger.publications("bench", undefined, 10_000)).length - 1;
    return [
      {
        granules: count,
        coalesce,
        "held after s": round(held),
        "readable after s": round(seconds),
        "granules a minute": Math.round((count / seconds) * 60),
        publications,
      },
    ];
  } finally {
    await whole.stop();
  }
}
