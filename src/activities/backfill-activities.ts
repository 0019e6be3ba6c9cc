import { announceList, listGranules, settleGranules } from "../acquisition/index.ts";
import type { Announcement, BackfillActivities, BackfillSearch } from "../contract/index.ts";
import type { NameFields } from "../ledger/index.ts";
import { type GranuleParts, GranuleSteps } from "./granule-steps.ts";
import { withHeartbeat } from "./heartbeat.ts";

export interface BackfillParts extends GranuleParts {
  /** Announces a granule to one dataset, behind live work; false: the dataset does not know it. */
  readonly announceLast: (dataset: string, announcement: Announcement) => Promise<boolean>;
}

/** The activities of the backfill workflow; the contract of each stands at `BackfillActivities`. */
export function createBackfillActivities(parts: BackfillParts): BackfillActivities {
  const { ledger, files, announceLast, wake } = parts;
  const steps = new GranuleSteps(parts);
  return {
    async find({ dataset: reference, list, search }, found) {
      const dataset = await files.get(reference);
      return withHeartbeat((onProgress, signal) =>
        listGranules(dataset, search as BackfillSearch, list, found, { signal, onProgress }),
      );
    },
    async announcePage({ dataset: reference, list, again }, offset, most) {
      const dataset = await files.get(reference);
      const announce = (announcement: Announcement) => announceLast(dataset.name, announcement);
      return withHeartbeat((onProgress, signal) => {
        const takeIn = (key: string, fields: NameFields, announcement: Announcement) =>
          steps.takeIn({ dataset: reference, key, fields }, dataset, announcement, signal);
        const context = { ledger, announce, takeIn, signal, onProgress, now: Date.now };
        return announceList(dataset, { uri: list, offset, most, again }, context);
      });
    },
    async settle({ dataset }, pending) {
      return withHeartbeat((onProgress, signal) => settleGranules(dataset.name, pending, { ledger, signal, onProgress }));
    },
    publishWindow: wake,
  };
}
