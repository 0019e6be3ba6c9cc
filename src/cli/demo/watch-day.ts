import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@temporalio/client";
import { FreshetError } from "../../errors/index.ts";
import type { Ledger } from "../../ledger/index.ts";
import { type GranuleView, lookAtGranules } from "../granule-view.ts";
import { lookAtTemporal } from "../temporal-view.ts";
import type { Agency } from "./agency.ts";
import { type AgencyRecord, DAY_TOTALS, spendDay } from "./agency-day.ts";
import { DEMO_DATASETS } from "./granules.ts";
import type { LiveView } from "./live-view.ts";

/** Often enough to see most stages, seldom enough to leave the processor to the server. */
const LOOK_EVERY_MS = 200;
/** Everything is readable about five seconds after the agency's day has begun. */
const READABLE_WITHIN_MS = 120_000;
const MOST_GRANULES = 50;

/** What a day needs of the demo. */
export interface DayPlace {
  readonly client: Client;
  readonly ledger: Ledger;
  readonly agency: Agency;
  readonly webhookUrl: string;
  /** Rejects when the demo is stopped or one of its parts ends; never resolves. */
  readonly untilStopped: Promise<never>;
}

/**
 * Lets the agency have its day, and shows the granules until readers can see all of them.
 * @throws FreshetError when a granule fails or not everything becomes readable in time; what `untilStopped` rejects with.
 */
export async function watchDay(
  demo: DayPlace,
  signal: AbortSignal,
  view: LiveView,
): Promise<{ readonly granules: readonly GranuleView[]; readonly records: ReadonlyMap<string, AgencyRecord> }> {
  const records = new Map<string, AgencyRecord>();
  let granules: readonly GranuleView[] = [];
  let isDayOver = false;
  const day = spendDay({
    agency: demo.agency,
    webhookUrl: demo.webhookUrl,
    records,
    isSettled: (dataset, key) =>
      granules.some(
        (granule) =>
          granule.dataset === dataset &&
          granule.key === key &&
          (granule.readableMs !== undefined || granule.stage === "quarantined"),
      ),
    tell: (text) => view.tell("agency", text),
    signal,
  });
  day.then(
    () => {
      isDayOver = true;
    },
    () => {},
  );
  const dayFailed = day.then((): Promise<never> => new Promise(() => {}));
  const deadline = Date.now() + READABLE_WITHIN_MS;
  for (;;) {
    granules = await Promise.race([lookAtAll(demo), dayFailed, demo.untilStopped]);
    view.show(granules);
    if (isDayOver && isOver(granules, records)) return { granules, records };
    const stuck = granules.find(({ stage }) => stage === "failed");
    if (stuck !== undefined) {
      throw new FreshetError("drift", `a granule of the demo is ${stuck.stage}`, { found: stuck.waitsFor, path: stuck.key });
    }
    if (Date.now() > deadline) {
      const late = granules
        .filter(({ readableMs }) => readableMs === undefined)
        .map(({ key, waitsFor }) => `${key}: ${waitsFor}`);
      throw new FreshetError("unreachable", "not everything became readable in time", {
        found: late.join("; "),
        expected: `all within ${READABLE_WITHIN_MS / 1000} s`,
        remedy: "See worker.log and temporal.log in the demo's folder",
      });
    }
    await Promise.race([sleep(LOOK_EVERY_MS), dayFailed, demo.untilStopped]);
  }
}

async function lookAtAll({ client, ledger }: DayPlace): Promise<GranuleView[]> {
  const views = await Promise.all(
    DEMO_DATASETS.map(async ({ name }) =>
      lookAtGranules(ledger, await lookAtTemporal(client, name, MOST_GRANULES), name, MOST_GRANULES),
    ),
  );
  return views.flatMap((granules) => [...granules].sort((a, b) => (a.key < b.key ? -1 : 1)));
}

/** Everything that the day brought is readable, but what waits for a decision. */
function isOver(granules: readonly GranuleView[], records: ReadonlyMap<string, AgencyRecord>): boolean {
  const isSettled = ({ dataset, key, stage, isOpen, readableMs, announcedMs, changedMs }: GranuleView): boolean => {
    const record = records.get(`${dataset}/${key}`);
    // Announced again, it is looked at again before it waits once more; an operator may have accepted it meanwhile.
    if (record?.isDrifted === true && !(readableMs !== undefined && !isOpen))
      return stage === "quarantined" && changedMs >= record.lastAnnouncedMs;
    return readableMs !== undefined && !isOpen && (announcedMs ?? 0) >= (record?.newsMs ?? 0);
  };
  const repeats = granules.reduce((sum, granule) => sum + granule.repeats, 0);
  return granules.every(isSettled) && granules.length === DAY_TOTALS.granules && repeats >= DAY_TOTALS.repeats;
}
