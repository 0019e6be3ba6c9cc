import { continueAsNew, proxyActivities, setCurrentDetails, setHandler, workflowInfo } from "@temporalio/workflow";
import type { ReconcileActivities, Reconciled, ReconciledPart, ReconcileInput, ReconcilePlace } from "../contract/index.ts";
import { reconcileStatusQuery } from "./messages.ts";

const { reconcilePart, publishReconciled } = proxyActivities<ReconcileActivities>({
  summary: "do source, ledger and store say the same?",
  startToCloseTimeout: "2 hours",
  heartbeatTimeout: "1 minute",
  retry: { initialInterval: "5 seconds", maximumInterval: "5 minutes", maximumAttempts: 10 },
  priority: { priorityKey: 5 },
});

/** Deviations and notes that travel through Temporal. */
const MOST_SHOWN = 50;
const MOST_NOTES = 20;
/** Parts to a run: a part's place may name thousands of folders. */
const MOST_PARTS = 100;

const NOTHING: Reconciled = {
  counts: { missing: 0, overdue: 0, late: 0, replaced: 0, duplicate: 0, withdrawn: 0, orphaned: 0 },
  compared: 0,
  silent: 0,
  acted: 0,
  shown: [],
  notes: [],
  report: "",
};

/** Compares everything that a dataset's source, the ledger and the stores say, part by part. A command or a schedule starts it. */
export async function reconcile(input: ReconcileInput): Promise<Reconciled> {
  let so = input.at?.so ?? NOTHING;
  let place: ReconcilePlace | undefined = input.at?.place ?? { step: "listing" };
  let part = input.at?.part ?? 0;
  setHandler(reconcileStatusQuery, () => so);
  for (let parts = 0; ; parts++) {
    const found: ReconciledPart = await reconcilePart(withoutPlace(input), workflowInfo().firstExecutionRunId, part, place);
    so = sum(so, found);
    setCurrentDetails(describe(so, place));
    if (found.isToPublish) await publishReconciled(input.dataset);
    place = found.next;
    part++;
    if (place === undefined) return so;
    if (parts >= MOST_PARTS || workflowInfo().continueAsNewSuggested)
      await continueAsNew<typeof reconcile>({ ...input, at: { place, part, so } });
  }
}

function withoutPlace({ at: _, ...input }: ReconcileInput): ReconcileInput {
  return input;
}

function sum(so: Reconciled, found: ReconciledPart): Reconciled {
  const counts = { ...so.counts };
  for (const [kind, count] of Object.entries(found.counts) as [keyof Reconciled["counts"], number][]) counts[kind] += count;
  return {
    counts,
    compared: so.compared + found.compared,
    silent: so.silent + found.silent,
    acted: so.acted + found.acted,
    shown: [...so.shown, ...found.shown].slice(0, MOST_SHOWN),
    notes: [...so.notes, ...found.notes].slice(0, MOST_NOTES),
    report: found.report,
  };
}

function describe({ counts, compared, silent, acted, shown, notes }: Reconciled, { step }: ReconcilePlace): string {
  const kinds = Object.entries(counts).flatMap(([kind, count]) => (count === 0 ? [] : [`${count} ${kind}`]));
  const asked = silent === 0 ? "" : `; ${silent} places did not answer`;
  return [
    `**${step}** ${compared} compared: ${kinds.length === 0 ? "all agree" : kinds.join(", ")}; ${acted} acted upon${asked}`,
    ...notes.map((note) => `* ${note}`),
    ...shown.slice(0, 10).map(({ kind, where, found }) => `* ${kind} ${where}: ${found}`),
  ].join("\n");
}
