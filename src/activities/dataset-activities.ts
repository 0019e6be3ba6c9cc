import type { DatasetActivities } from "../contract/index.ts";
import type { Publisher } from "../publication/index.ts";
import type { DatasetFiles } from "./dataset-files.ts";
import { withHeartbeat } from "./heartbeat.ts";

/** The activities of the dataset workflow; the contract of each stands at `DatasetActivities`. */
export function createDatasetActivities({
  publisher,
  files,
}: {
  readonly publisher: Publisher;
  readonly files: DatasetFiles;
}): DatasetActivities {
  return {
    async combine(reference) {
      const dataset = await files.get(reference);
      return withHeartbeat(() => publisher.planOrTrouble(dataset));
    },

    async append(reference, plan) {
      const dataset = await files.get(reference);
      return withHeartbeat((tell) => publisher.publish(reference, dataset, plan, tell));
    },
  };
}
