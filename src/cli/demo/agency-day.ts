import { setTimeout as sleep } from "node:timers/promises";
import type { Agency } from "./agency.ts";
import { AGENCY_GRANULES, type AgencyGranule, type DatasetName } from "./granules.ts";

type Place = readonly [dataset: DatasetName, day: 1 | 2 | 3];

/** What the agency does, and with which of a dataset's three days. */
interface Step {
  /** After the step before it. */
  readonly pauseMs: number;
  readonly granule: Place;
  readonly acts: readonly ("publish" | "announce")[];
  /** Not before readers see this one: what comes late comes late on slow machines too. */
  readonly after?: Place;
  readonly says: string;
}

/** A day as agencies have them: out of order, said twice, said before it is true. */
const DAY: readonly Step[] = [
  { pauseMs: 0, granule: ["ostia", 1], acts: ["publish", "announce"], says: "published and announced" },
  { pauseMs: 400, granule: ["mogreps-uk", 1], acts: ["publish", "announce"], says: "published and announced" },
  { pauseMs: 400, granule: ["mogreps-uk", 2], acts: ["announce"], says: "announced, but it is not there yet" },
  {
    pauseMs: 400,
    granule: ["ostia", 3],
    acts: ["publish", "announce"],
    says: "published and announced, before the day before it",
  },
  { pauseMs: 400, granule: ["mogreps-uk", 3], acts: ["publish", "announce"], says: "published and announced" },
  { pauseMs: 400, granule: ["ostia", 1], acts: ["announce"], after: ["ostia", 1], says: "announced a second time" },
  {
    pauseMs: 400,
    granule: ["ostia", 2],
    acts: ["publish", "announce"],
    after: ["ostia", 3],
    says: "published and announced, late",
  },
  { pauseMs: 600, granule: ["mogreps-uk", 2], acts: ["publish"], says: "published at last" },
];

const LOOK_EVERY_MS = 50;

/** What happened to one granule at the agency. Milliseconds since 1970. */
export interface AgencyRecord {
  readonly granule: AgencyGranule;
  readonly key: string;
  readonly firstAnnouncedMs: number;
  readonly announcements: number;
  /** Undefined while it is announced and not there, and where an earlier demo published it. */
  readonly publishedMs: number | undefined;
}

/** What the agency's day has to do with the rest. */
export interface DayParts {
  readonly agency: Agency;
  readonly webhookUrl: string;
  /** By `dataset/key`; filled as the day goes on. */
  readonly records: Map<string, AgencyRecord>;
  /** Whether readers see a granule by now. */
  readonly isReadable: (dataset: string, key: string) => boolean;
  /** Called with each thing that it does. */
  readonly tell: (text: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Lets the agency have its day.
 * @throws FreshetError `unreachable` when an announcement is not taken; what `signal` aborts with.
 */
export async function spendDay({ agency, webhookUrl, records, isReadable, tell, signal }: DayParts): Promise<void> {
  for (const { pauseMs, granule: place, acts, after, says } of DAY) {
    await sleep(pauseMs, undefined, { signal });
    if (after !== undefined) {
      const key = recordOf(records, granuleAt(after))?.key ?? "";
      while (!isReadable(after[0], key)) await sleep(LOOK_EVERY_MS, undefined, { signal });
    }
    const granule = granuleAt(place);
    const known = recordOf(records, granule);
    let { key = "", announcements = 0, publishedMs } = known ?? {};
    const isThere = publishedMs === undefined && (await agency.has(granule));
    if (!isThere || acts.includes("announce"))
      tell(`${granule.day} ${isThere ? "announced; it is there from an earlier demo" : says}`);
    if (acts.includes("publish") && !isThere) {
      await agency.publish(granule);
      publishedMs = Date.now();
    }
    const announcedMs = Date.now();
    if (acts.includes("announce")) {
      key = await agency.announce(granule, webhookUrl);
      announcements++;
    }
    const firstAnnouncedMs = known?.firstAnnouncedMs ?? announcedMs;
    records.set(`${granule.dataset}/${key}`, { granule, key, firstAnnouncedMs, announcements, publishedMs });
  }
}

/** Granules and announcements that a whole day has. */
export const DAY_TOTALS = {
  granules: new Set(DAY.map(({ granule }) => granule.join())).size,
  announcements: DAY.filter(({ acts }) => acts.includes("announce")).length,
};

function recordOf(records: ReadonlyMap<string, AgencyRecord>, granule: AgencyGranule): AgencyRecord | undefined {
  return [...records.values()].find((record) => record.granule === granule);
}

function granuleAt([dataset, day]: Place): AgencyGranule {
  return AGENCY_GRANULES.filter((granule) => granule.dataset === dataset)[day - 1] as AgencyGranule;
}
