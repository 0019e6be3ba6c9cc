import { sweepPage } from "../acquisition/index.ts";
import type { Announcement, MaintenanceActivities } from "../contract/index.ts";
import type { Ledger } from "../ledger/index.ts";
import type { DatasetFiles } from "./dataset-files.ts";
import { withHeartbeat } from "./heartbeat.ts";

export interface MaintenanceParts {
  readonly ledger: Ledger;
  readonly files: DatasetFiles;
  /** Announces a granule to one dataset. */
  readonly announce: (dataset: string, announcement: Announcement) => Promise<void>;
  readonly wake: (dataset: { readonly name: string; readonly hash: string }) => Promise<void>;
}

/** The activities of the maintenance workflow; the contract of each stands at `MaintenanceActivities`. */
export function createMaintenanceActivities({ ledger, files, announce, wake }: MaintenanceParts): MaintenanceActivities {
  return {
    async sweep(reference, afterKey) {
      const dataset = await files.get(reference);
      const context = { ledger, now: Date.now, announce: (announcement: Announcement) => announce(dataset.name, announcement) };
      const swept = await withHeartbeat((onProgress, signal) => sweepPage(dataset, afterKey, { ...context, signal, onProgress }));
      if (swept.withdrawn > 0) await wake(reference);
      return swept;
    },
  };
}
