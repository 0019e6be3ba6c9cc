import { continueAsNew, proxyActivities, setCurrentDetails, workflowInfo } from "@temporalio/workflow";
import type { CmrActivities, CmrInput, CmrLook, CmrSums } from "../contract/index.ts";

const { searchCmr } = proxyActivities<CmrActivities>({
  summary: "what is new, revised or deleted in CMR?",
  startToCloseTimeout: "1 hour",
  heartbeatTimeout: "1 minute",
  retry: { initialInterval: "5 seconds", maximumInterval: "5 minutes", maximumAttempts: 10 },
});

/** Parts to a run: a part's place may name hundreds of searches. */
const MOST_PARTS = 100;

/**
 * One look at what CMR has of a source's collections since the last look, whose result Temporal's schedule hands over. A look that fails
 * leaves that as it was: the next one begins where this one did.
 */
export async function cmr({ source, at, look }: CmrInput): Promise<CmrLook> {
  const before = (workflowInfo().lastResult as CmrLook | undefined)?.since ?? {};
  let place = at;
  let sum: CmrLook = look ?? { looked: 0, announced: 0, known: 0, foreign: 0, removed: 0, since: before };
  const notes: string[] = [];
  for (let part = 0; ; part++) {
    const next = await searchCmr(source, place, sum.since);
    sum = {
      looked: sum.looked + next.looked,
      announced: sum.announced + next.announced,
      known: sum.known + next.known,
      foreign: sum.foreign + next.foreign,
      removed: sum.removed + next.removed,
      since: { ...sum.since, ...next.since },
    };
    notes.push(...next.notes);
    setCurrentDetails([describe(sum), ...notes.slice(-10).map((note) => `* ${note}`)].join("\n"));
    place = next.next;
    if (place === undefined) return sum;
    if (part >= MOST_PARTS || workflowInfo().continueAsNewSuggested)
      await continueAsNew<typeof cmr>({ source, at: place, look: sum });
  }
}

function describe({ looked, announced, known, foreign, removed }: CmrSums): string {
  return `${looked} granules told of: ${announced} announced, ${known} known, ${foreign} of no dataset; ${removed} deleted`;
}
