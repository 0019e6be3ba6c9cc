import { setTimeout as sleep } from "node:timers/promises";
import type { BackfillStatus } from "../src/contract/index.ts";
import { canonicalDataset } from "../src/dataset/index.ts";
import { beginBackfill } from "../src/starters/index.ts";
import { round } from "./figures.ts";
import { Whole } from "./whole.ts";

/** Files that are written at once. */
const AT_ONCE = 32;
const TOLD_MS = 5_000;

/**
 * A backfill of so many small granules through a real Temporal server, from an HTTP server on this machine to the last version: granules a minute, and the rates of its
 * first and last thirds. One that takes longer than `minutes` is cancelled, and the figures are those of what is published by then.
 */
export async function backfill(
  granules: readonly number[],
  { window, minutes }: { readonly window: number; readonly minutes: number },
  say: (line: string) => void,
) {
  const rows: Record<string, string | number>[] = [];
  for (const count of granules) rows.push(await backfillOf(count, window, minutes * 60_000, say));
  return rows;
}

async function backfillOf(count: number, window: number, mostMs: number, say: (line: string) => void) {
  const whole = await Whole.start("0s");
  try {
    const uris: string[] = [];
    for (let hour = 0; hour < count; hour += AT_ONCE) {
      const hours = Array.from({ length: Math.min(AT_ONCE, count - hour) }, (_, at) => hour + at);
      uris.push(...(await Promise.all(hours.map((at) => whole.put(at)))));
    }
    say(`${count} granules: they are there`);
    const { client, ledger } = whole.worker;
    const reference = { name: whole.dataset.name, hash: canonicalDataset(whole.dataset).hash };
    const used = process.cpuUsage();
    const started = performance.now();
    const workflowId = await beginBackfill(client, whole.home, reference, uris, { window, again: false });
    const handle = client.workflow.getHandle(workflowId);
    /** When so many were published, milliseconds since the beginning. */
    const seen: [ms: number, published: number][] = [[0, 0]];
    let toldMs = 0;
    let published = 0;
    let isCut = false;
    while (published < count) {
      await sleep(100);
      const ms = performance.now() - started;
      published = (await ledger.counts(whole.dataset.name)).published;
      seen.push([ms, published]);
      if (ms - toldMs > TOLD_MS) {
        toldMs = ms;
        say(`  ${published} of ${count} published, ${Math.round(ms / 1000)} s`);
      }
      if (ms < mostMs) continue;
      isCut = true;
      await handle.cancel();
      break;
    }
    const seconds = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(used);
    const status = await handle.query<BackfillStatus>("status");
    if (!isCut && status.counts.quarantined > 0) throw new Error(`${status.counts.quarantined} granules are in quarantine`);
    return {
      granules: count,
      published,
      seconds: round(seconds),
      "a minute": Math.round((published / seconds) * 60),
      "first third, a minute": rateBetween(seen, 0, published / 3),
      "last third, a minute": rateBetween(seen, (published * 2) / 3, published),
      "CPU ms a granule": round((user + system) / 1000 / Math.max(1, published)),
      publications: (await ledger.publications(whole.dataset.name, undefined, 100_000)).length,
      "cut off": isCut ? "yes" : "no",
    };
  } finally {
    await whole.stop();
  }
}

/** Granules a minute from the moment at which `from` were published to that at which `to` were. */
function rateBetween(seen: readonly (readonly [number, number])[], from: number, to: number): number {
  const [beginMs = 0, begin = 0] = seen.find(([, published]) => published >= from) ?? [];
  const [endMs = 0, end = 0] = seen.find(([, published]) => published >= to) ?? [];
  return Math.round(((end - begin) / (endMs - beginMs)) * 60_000);
}
