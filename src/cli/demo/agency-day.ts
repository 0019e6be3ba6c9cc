import { setTimeout as sleep } from "node:timers/promises";
import type { Agency } from "./agency.ts";
import { AGENCY_GRANULES, type AgencyGranule, type DatasetName } from "./granules.ts";

/** What the agency does, when, and with which of a dataset's three days. */
interface Step {
  readonly atMs: number;
  readonly granule: readonly [dataset: DatasetName, day: 1 | 2 | 3];
  readonly acts: readonly ("publish" | "announce")[];
  readonly says: string;
}

/** A day as agencies have them: out of order, said twice, said before it is true. */
const DAY: readonly Step[] = [
  { atMs: 0, granule: ["ostia", 1], acts: ["publish", "announce"], says: "published and announced" },
  { atMs: 500, granule: ["mogreps-uk", 1], acts: ["publish", "announce"], says: "published and announced" },
  { atMs: 1000, granule: ["ostia", 3], acts: ["publish", "announce"], says: "published and announced, before the day before it" },
  { atMs: 1500, granule: ["mogreps-uk", 2], acts: ["announce"], says: "announced, but it is not there yet" },
  { atMs: 2000, granule: ["mogreps-uk", 3], acts: ["publish", "announce"], says: "published and announced" },
  { atMs: 2500, granule: ["ostia", 1], acts: ["announce"], says: "announced a second time" },
  { atMs: 3000, granule: ["ostia", 2], acts: ["publish", "announce"], says: "published and announced, late" },
  { atMs: 4000, granule: ["mogreps-uk", 2], acts: ["publish"], says: "published at last" },
];

/** What happened to one granule at the agency. Milliseconds since 1970. */
export interface AgencyRecord {
  readonly granule: AgencyGranule;
  readonly key: string;
  readonly firstAnnouncedMs: number;
  readonly announcements: number;
  /** Undefined while it is announced and not there. */
  readonly publishedMs: number | undefined;
}

/**
 * Lets the agency have its day.
 * @param records by workflow-like name `dataset/key`; filled as the day goes on.
 * @param tell called with each thing that it does, after it is done.
 * @throws FreshetError `unreachable` when an announcement is not taken; what `signal` aborts with.
 */
export async function spendDay(
  agency: Agency,
  webhookUrl: string,
  records: Map<string, AgencyRecord>,
  tell: (dataset: string, text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const started = Date.now();
  const published = new Map<AgencyGranule, number>();
  for (const { atMs, granule: place, acts, says } of DAY) {
    await sleep(Math.max(0, started + atMs - Date.now()), undefined, { signal });
    const granule = granuleAt(...place);
    if (acts.includes("publish")) {
      await agency.publish(granule);
      published.set(granule, Date.now());
    }
    tell(granule.dataset, `${granule.day} ${says}`);
    const known = [...records.values()].find((record) => record.granule === granule);
    const record = known ?? { granule, key: "", firstAnnouncedMs: Date.now(), announcements: 0, publishedMs: undefined };
    const isAnnounced = acts.includes("announce");
    const key = isAnnounced ? await agency.announce(granule, webhookUrl) : record.key;
    records.set(`${granule.dataset}/${key}`, {
      ...record,
      key,
      announcements: record.announcements + (isAnnounced ? 1 : 0),
      publishedMs: published.get(granule),
    });
  }
}

/** Granules and announcements that a whole day has. */
export const DAY_TOTALS = {
  granules: new Set(DAY.map(({ granule }) => granule.join())).size,
  announcements: DAY.filter(({ acts }) => acts.includes("announce")).length,
};

function granuleAt(dataset: DatasetName, day: number): AgencyGranule {
  return AGENCY_GRANULES.filter((granule) => granule.dataset === dataset)[day - 1] as AgencyGranule;
}
