import { withdrawAnnounced } from "../acquisition/index.ts";
import type { GranuleActivities } from "../contract/index.ts";
import { awaited } from "./awaited.ts";
import { type GranuleParts, GranuleSteps } from "./granule-steps.ts";
import { withHeartbeat } from "./heartbeat.ts";

/** The activities of the granule workflow; the contract of each stands at `GranuleActivities`. */
export function createGranuleActivities(parts: GranuleParts): GranuleActivities {
  const { ledger, files, wake } = parts;
  const steps = new GranuleSteps(parts);
  return {
    async download(granule, announcement) {
      const dataset = await files.get(granule.dataset);
      return awaited(dataset.await, () =>
        withHeartbeat((tell, signal, kept) => steps.download(granule, dataset, announcement, { tell, signal, kept })),
      );
    },

    async scan(granule, downloaded, isAccepted) {
      const dataset = await files.get(granule.dataset);
      return withHeartbeat((tell, signal) => steps.scan(granule, dataset, downloaded, isAccepted, { tell, signal }));
    },

    record: (granule, announcement, identity, verdict) => steps.record(granule, announcement, identity, verdict),

    async withdraw(granule, announcement) {
      const dataset = await files.get(granule.dataset);
      const withdrawal = await withHeartbeat((_onProgress, signal) =>
        withdrawAnnounced(granule, dataset, announcement, { ledger, signal, now: Date.now }),
      );
      if (withdrawal.kind === "withdrawn") {
        await wake(granule.dataset);
        await steps.tellItsRun(granule);
      }
      return withdrawal;
    },
  };
}
