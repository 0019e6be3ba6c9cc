import { watchQuiet } from "../acquisition/index.ts";
import type { DatasetActivities, DatasetReference, Notification, Operation, PublicationKind } from "../contract/index.ts";
import type { Ledger } from "../ledger/index.ts";
import {
  type Forms,
  failedNotification,
  type Operator,
  overdueRuns,
  type Publisher,
  publishedNotification,
  quietNotification,
} from "../publication/index.ts";
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
  notify,
}: {
  readonly publisher: Publisher;
  readonly operator: Operator;
  readonly forms: Forms;
  readonly files: DatasetFiles;
  readonly ledger: Ledger;
  /** Tells those whom the dataset file names. */
  readonly notify: (dataset: DatasetReference, notification: Notification) => Promise<void>;
}): DatasetActivities {
  return {
    async combine(reference) {
      const dataset = await files.get(reference);
      return withHeartbeat(async () => {
        const plans = await publisher.plan(dataset);
        const nowMs = Date.now();
        const alarms = await watchQuiet(dataset, ledger, nowMs, await overdueRuns(ledger, dataset, nowMs));
        for (const plan of plans) {
          if ("trouble" in plan && plan.kind !== "held")
            await notify(reference, failedNotification(dataset.name, plan.product, plan.trouble, nowMs));
        }
        for (const alarm of alarms) await notify(reference, quietNotification(dataset.name, alarm));
        return [...plans, ...alarms.map(({ text }) => ({ product: "", kind: "quiet", trouble: text }))];
      });
    },

    async append(reference, plan) {
      const dataset = await files.get(reference);
      return withHeartbeat(async (tell) => {
        const result = await publisher.publish(reference, dataset, plan, tell);
        // What a dead writer published and nobody was told of comes here as a plan that changes nothing.
        await notify(reference, publishedNotification(dataset, result, plan.kind));
        return result;
      });
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
      for (const { product, sequence, version, granules, changed, isPublished } of results) {
        if (!isPublished || version === undefined) continue;
        const result = { product, sequence, version, granules, changed, atMs: Date.now() };
        await notify(reference, publishedNotification(dataset, result, kindOf(operation)));
      }
      reached("operate: before the answer");
      return results;
    },
  };
}

/** What is made by an operator's word. */
function kindOf({ kind }: Operation): PublicationKind {
  return kind === "rollback" || kind === "release" ? kind : "rebuild";
}
