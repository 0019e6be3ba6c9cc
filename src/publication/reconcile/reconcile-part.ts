import {
  type Deviation,
  type DeviationKind,
  RECONCILE_STEPS,
  type ReconcilePlace,
  type ReconcileStep,
} from "../../contract/index.ts";
import { againstCalendar } from "./against-calendar.ts";
import { againstLedger } from "./against-ledger.ts";
import { againstListing } from "./against-listing.ts";
import { againstPlaces } from "./against-places.ts";
import { againstRuns } from "./against-runs.ts";
import { againstStores } from "./against-stores.ts";
import { Findings, type ReconcileContext } from "./context.ts";

/** What a part of a reconciliation has found, and where the next one begins (undefined: that was all). */
export interface ComparedPart {
  readonly deviations: readonly Deviation[];
  readonly counts: Partial<Readonly<Record<DeviationKind, number>>>;
  readonly compared: number;
  readonly silent: number;
  readonly notes: readonly string[];
  readonly isToPublish: boolean;
  readonly next: ReconcilePlace | undefined;
}

/**
 * Compares source, ledger and stores of a dataset, a part of it from `place` on. What differs is told, and where the context says so
 * announced, announced as removed, or left to a publication that the caller asks for. May run twice.
 * @throws FreshetError as `listSource`, `checkProduct`, the ledger.
 */
export async function reconcilePart(place: ReconcilePlace, context: ReconcileContext): Promise<ComparedPart> {
  const findings = new Findings(context);
  const next = await compare(place, context, findings);
  const { deviations, compared, silent, notes, isToPublish } = findings;
  const counts: Partial<Record<DeviationKind, number>> = {};
  for (const { kind } of deviations) counts[kind] = (counts[kind] ?? 0) + 1;
  return { deviations, counts, compared, silent, notes, isToPublish, next };
}

async function compare(
  { step, listing, afterKey, fromMs }: ReconcilePlace,
  context: ReconcileContext,
  findings: Findings,
): Promise<ReconcilePlace | undefined> {
  switch (step) {
    case "listing": {
      if (context.dataset.source.listing === undefined) return after(step);
      const next = await againstListing(listing, context, findings);
      return next === undefined ? after(step) : { step, listing: next };
    }
    case "places": {
      const next = await againstPlaces(afterKey, context, findings);
      return next === undefined ? after(step) : { step, afterKey: next };
    }
    case "calendar": {
      const next = await againstCalendar(fromMs, context, findings);
      return next === undefined ? after(step) : { step, fromMs: next };
    }
    case "runs": {
      const next = await againstRuns(fromMs, context, findings);
      return next === undefined ? after(step) : { step, fromMs: next };
    }
    case "ledger":
      await againstLedger(context, findings);
      return after(step);
    case "stores":
      await againstStores(context, findings);
      return after(step);
  }
}

function after(step: ReconcileStep): ReconcilePlace | undefined {
  const next = RECONCILE_STEPS[RECONCILE_STEPS.indexOf(step) + 1];
  return next === undefined ? undefined : { step: next };
}
