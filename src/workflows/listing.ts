import { continueAsNew, proxyActivities, setCurrentDetails, workflowInfo } from "@temporalio/workflow";
import type { ListingActivities, ListingInput, ListingSums } from "../contract/index.ts";

const { list } = proxyActivities<ListingActivities>({
  summary: "what is there that the ledger does not know?",
  startToCloseTimeout: "1 hour",
  heartbeatTimeout: "1 minute",
  retry: { initialInterval: "5 seconds", maximumInterval: "5 minutes", maximumAttempts: 10 },
});

/** Parts to a run: a part's place may name thousands of folders. */
const MOST_PARTS = 100;

/** One look at everything that a source's listing names. A schedule starts it as often as the dataset file says. */
export async function listing({ source, at, sums }: ListingInput): Promise<ListingSums> {
  let place = at;
  let sum: ListingSums = sums ?? { looked: 0, announced: 0, known: 0, foreign: 0, removed: 0, absent: 0 };
  const notes: string[] = [];
  for (let part = 0; ; part++) {
    const next = await list(source, place);
    sum = {
      looked: sum.looked + next.looked,
      announced: sum.announced + next.announced,
      known: sum.known + next.known,
      foreign: sum.foreign + next.foreign,
      removed: sum.removed + next.removed,
      absent: sum.absent + next.absent,
    };
    notes.push(...next.notes);
    setCurrentDetails([describe(sum), ...notes.slice(-10).map((note) => `* ${note}`)].join("\n"));
    place = next.next;
    if (place === undefined) return sum;
    if (part >= MOST_PARTS || workflowInfo().continueAsNewSuggested)
      await continueAsNew<typeof listing>({ source, at: place, sums: sum });
  }
}

function describe({ looked, announced, known, foreign, removed, absent }: ListingSums): string {
  const folders = absent === 0 ? "" : `; ${absent} folders are not there`;
  return `${looked} files seen: ${announced} announced, ${known} known, ${foreign} of no dataset; ${removed} gone${folders}`;
}
