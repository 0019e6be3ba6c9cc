import { announceList, listGranules, settleGranules } from "../acquisition/index.ts";
import type { Announcement, BackfillActivities, BackfillSearch } from "../contract/index.ts";
import type { Ledger } from "../ledger/index.ts";
import type { DatasetFiles } from "./dataset-files.ts";
import { withHeartbeat } from "./heartbeat.ts";

export interface BackfillParts {
  readonly ledger: Ledger;
  readonly files: DatasetFiles;
  /** Announces a granule to one dataset, behind live work; false: the dataset does not know it. */
  readonly announceLast: (dataset: string, announcement: Announcement) => Promise<boolean>;
  readonly wake: (dataset: { readonly name: string; readonly hash: string }) => Promise<void>;
}

/** The activities of the backfill workflow; the contract of each stands at `BackfillActivities`. */
export function createBackfillActivities({ ledger, files, announceLast, wake }: BackfillParts): BackfillActivities {
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
      return withHeartbeat((onProgress, signal) =>
        announceList(dataset, { uri: list, offset, most, again }, { ledger, announce, signal, onProgress, now: Date.now }),
      );
    },
    async settle({ dataset }, pending) {
      return withHeartbeat((onProgress, signal) => settleGranules(dataset.name, pending, { ledger, signal, onProgress }));
    },
    publishWindow: wake,
  };
}
