import { watchQuiet } from "../acquisition/index.ts";
import type { DatasetActivities } from "../contract/index.ts";
import type { Ledger } from "../ledger/index.ts";
import type { Forms, Operator, Publisher } from "../publication/index.ts";
import { reached } from "../steps/index.ts";
import type { DatasetFiles } from "./dataset-files.ts";
import { withHeartbeat } from "./heartbeat.ts";

/** The activities of the dataset workflow; the contract of each stands at `DatasetActivities`. */
export function createDatasetActivities({
  publisher,
  operator,
  forms,
  files,
  ledger,
}: {
  readonly publisher: Publisher;
  readonly operator: Operator;
  readonly forms: Forms;
  readonly files: DatasetFiles;
  readonly ledger: Ledger;
}): DatasetActivities {
  return {
    async combine(reference) {
      const dataset = await files.get(reference);
      return withHeartbeat(async () => {
        const plans = await publisher.plan(dataset);
        const alarms = await watchQuiet(dataset, ledger, Date.now());
        return [...plans, ...alarms.map(({ text }) => ({ product: "", kind: "quiet", trouble: text }))];
      });
    },

    async append(reference, plan) {
      const dataset = await files.get(reference);
      return withHeartbeat((tell) => publisher.publish(reference, dataset, plan, tell));
    },

    async publishForms(reference) {
      const dataset = await files.get(reference);
      return withHeartbeat((tick, signal) => forms.publish(dataset, tick, signal));
    },

    async operate(reference, id, operation) {
      const dataset = await files.get(reference);
      const results = await withHeartbeat((tick, signal) =>
        operator.carryOut({ id, reference, dataset, tick, signal }, operation),
      );
      reached("operate: before the answer");
      return results;
    },
  };
}
