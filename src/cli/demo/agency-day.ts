import { setTimeout as sleep } from "node:timers/promises";
import type { Agency } from "./agency.ts";
import { AGENCY_GRANULES, type AgencyGranule, type DatasetName } from "./granules.ts";
import type { Mistake } from "./mistakes.ts";

type Place = readonly [dataset: DatasetName, day: 1 | 2 | 3 | 4];

/** What the agency does, and with which of a dataset's days. */
interface Step {
  /** After the step before it. */
  readonly pauseMs: number;
  readonly granule: Place;
  readonly acts: readonly ("publish" | "announce")[];
  readonly mistake?: Mistake;
  /** What it announces is new, though it has announced the granule before. */
  readonly isNews?: boolean;
  /** Not before readers see this one, or it waits for a decision: what comes late comes late on slow machines too. */
  readonly after?: Place;
  readonly says: string;
}

/** A day as agencies have them: out of order, said twice, said before it is true, not whole yet, corrected, changed without a word. */
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
  {
    pauseMs: 400,
    granule: ["mogreps-uk", 3],
    acts: ["publish", "announce"],
    mistake: "truncated",
    says: "published and announced, but half of it is missing",
  },
  { pauseMs: 400, granule: ["ostia", 1], acts: ["announce"], after: ["ostia", 1], says: "announced a second time" },
  {
    pauseMs: 400,
    granule: ["ostia", 2],
    acts: ["publish", "announce"],
    after: ["ostia", 3],
    says: "published and announced, late",
  },
  { pauseMs: 600, granule: ["mogreps-uk", 2], acts: ["publish"], says: "published at last" },
  {
    pauseMs: 0,
    granule: ["mogreps-uk", 3],
    acts: ["publish", "announce"],
    isNews: true,
    after: ["mogreps-uk", 2],
    says: "published again, all of it this time",
  },
  {
    pauseMs: 0,
    granule: ["ostia", 1],
    acts: ["publish", "announce"],
    mistake: "recalibrated",
    isNews: true,
    after: ["ostia", 2],
    says: "replaced: half a kelvin was missing",
  },
  {
    pauseMs: 400,
    granule: ["ostia", 4],
    acts: ["publish", "announce"],
    mistake: "rescaled",
    says: "published with another scale_factor, and nobody said so",
  },
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
  /** When what is there now was announced first. */
  readonly newsMs: number;
  readonly lastAnnouncedMs: number;
  /** Will wait for a decision. */
  readonly isDrifted: boolean;
}

/** What the agency's day has to do with the rest. */
export interface DayParts {
  readonly agency: Agency;
  readonly webhookUrl: string;
  /** By `dataset/key`; filled as the day goes on. */
  readonly records: Map<string, AgencyRecord>;
  /** Whether readers see a granule by now, or it waits for a decision. */
  readonly isSettled: (dataset: string, key: string) => boolean;
  /** Called with each thing that it does. */
  readonly tell: (text: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Lets the agency have its day.
 * @throws FreshetError `unreachable` when an announcement is not taken; what `signal` aborts with.
 */
export async function spendDay({ agency, webhookUrl, records, isSettled, tell, signal }: DayParts): Promise<void> {
  const old = new Set<AgencyGranule>();
  for (const granule of AGENCY_GRANULES) if (await agency.has(granule)) old.add(granule);
  for (const { pauseMs, granule: place, acts, mistake, isNews = false, after, says } of DAY) {
    await sleep(pauseMs, undefined, { signal });
    if (after !== undefined) {
      const key = recordOf(records, granuleAt(after))?.key ?? "";
      while (!isSettled(after[0], key)) await sleep(LOOK_EVERY_MS, undefined, { signal });
    }
    const granule = granuleAt(place);
    const known = recordOf(records, granule);
    const isOld = old.has(granule);
    // What an earlier demo has left there is what its day ended with.
    if (isOld && isNews) continue;
    let { key = "", announcements = 0, publishedMs } = known ?? {};
    if (!isOld || acts.includes("announce"))
      tell(`${granule.day} ${isOld ? "announced; it is there from an earlier demo" : says}`);
    if (acts.includes("publish") && !isOld) {
      await agency.publish(granule, mistake);
      publishedMs ??= Date.now();
    }
    const announcedMs = Date.now();
    if (acts.includes("announce")) {
      key = await agency.announce(granule, webhookUrl);
      announcements++;
    }
    const firstAnnouncedMs = known?.firstAnnouncedMs ?? announcedMs;
    const newsMs = isNews ? announcedMs : (known?.newsMs ?? announcedMs);
    const isDrifted = mistake === "rescaled";
    records.set(`${granule.dataset}/${key}`, {
      granule,
      key,
      firstAnnouncedMs,
      announcements,
      publishedMs,
      newsMs: isOld ? 0 : newsMs,
      lastAnnouncedMs: acts.includes("announce") ? announcedMs : (known?.lastAnnouncedMs ?? announcedMs),
      isDrifted,
    });
  }
}

/** Granules that a whole day has, and announcements that say nothing new. */
export const DAY_TOTALS = {
  granules: new Set(DAY.map(({ granule }) => granule.join())).size,
  repeats: DAY.filter(
    ({ acts, granule, isNews }, index) =>
      acts.includes("announce") &&
      isNews !== true &&
      DAY.slice(0, index).some((earlier) => earlier.granule.join() === granule.join() && earlier.acts.includes("announce")),
  ).length,
};

function recordOf(records: ReadonlyMap<string, AgencyRecord>, granule: AgencyGranule): AgencyRecord | undefined {
  return [...records.values()].find((record) => record.granule === granule);
}

function granuleAt([dataset, day]: Place): AgencyGranule {
  return AGENCY_GRANULES.filter((granule) => granule.dataset === dataset)[day - 1] as AgencyGranule;
}
