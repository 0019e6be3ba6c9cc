import { proxyActivities, setCurrentDetails } from "@temporalio/workflow";
import type { DatasetReference, MaintenanceActivities, Swept } from "../contract/index.ts";

const { sweep } = proxyActivities<MaintenanceActivities>({
  summary: "are the sources still what references say?",
  startToCloseTimeout: "2 hours",
  heartbeatTimeout: "1 minute",
  retry: { initialInterval: "5 seconds", maximumInterval: "5 minutes", maximumAttempts: 10 },
});

/** Pages to a run at most: a hundred thousand granules and more. */
const MOST_PAGES = 2_000;

/** One look at the sources of everything that a dataset has published. A schedule starts it as often as the dataset file says. */
export async function maintenance(dataset: DatasetReference): Promise<Swept> {
  let sum: Swept = { looked: 0, changed: 0, gone: 0, silent: 0, withdrawn: 0, afterKey: undefined };
  for (let page = 0; page < MOST_PAGES; page++) {
    const next = await sweep(dataset, sum.afterKey);
    sum = {
      looked: sum.looked + next.looked,
      changed: sum.changed + next.changed,
      gone: sum.gone + next.gone,
      silent: sum.silent + next.silent,
      withdrawn: sum.withdrawn + next.withdrawn,
      afterKey: next.afterKey,
    };
    setCurrentDetails(
      `${sum.looked} sources looked at: ${sum.changed} changed, ${sum.gone} gone, ${sum.silent} silent, ${sum.withdrawn} withdrawn`,
    );
    if (next.afterKey === undefined) break;
  }
  return sum;
}
