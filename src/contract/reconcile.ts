import type { DatasetReference } from "./granule.ts";
import type { ListingPlace } from "./listing.ts";

/**
 * How source, ledger and store differ:
 * - `missing`: the source has it, and the ledger has not heard of it.
 * - `overdue`: the calendar, or a run of the cycle, expects it, and neither source nor ledger has it.
 * - `late`: the ledger has heard of it, and it is still not published.
 * - `replaced`: the source has other bytes than the ledger has heard of.
 * - `duplicate`: the source has a granule in a second place.
 * - `withdrawn`: the ledger has it, and the source has not any more.
 * - `orphaned`: the store shows what the ledger does not know, or does not show what the ledger calls published.
 */
export const DEVIATION_KINDS = ["missing", "overdue", "late", "replaced", "duplicate", "withdrawn", "orphaned"] as const;
export type DeviationKind = (typeof DEVIATION_KINDS)[number];

/** One thing that source, ledger and store do not say alike. */
export interface Deviation {
  readonly kind: DeviationKind;
  /** The granule's key; an instant of the calendar, a run of the cycle or a store where there is none. */
  readonly where: string;
  readonly uri?: string | undefined;
  readonly found: string;
  readonly expected: string;
  /** What was done about it; undefined where nothing was. */
  readonly done?: "announced" | "announced as removed" | "publication asked for" | undefined;
}

/** What is compared, one after the other. */
export const RECONCILE_STEPS = ["listing", "places", "calendar", "runs", "ledger", "stores"] as const;
export type ReconcileStep = (typeof RECONCILE_STEPS)[number];

/** Where a reconciliation goes on. */
export interface ReconcilePlace {
  readonly step: ReconcileStep;
  /** Of the step `listing`. */
  readonly listing?: ListingPlace | undefined;
  /** Of the step `places`: the last key that was looked at. */
  readonly afterKey?: string | undefined;
  /** Of the steps `calendar` and `runs`: the first instant, or forecast reference time, that is still to be looked at, milliseconds since 1970. */
  readonly fromMs?: number | undefined;
}

export interface ReconcileInput {
  readonly dataset: DatasetReference;
  /** Only granules valid from then on (inclusive), milliseconds since 1970. Default: from the first that there is. */
  readonly fromMs?: number | undefined;
  /** Only granules valid until then (inclusive). Default: now. */
  readonly toMs?: number | undefined;
  /** Do something about it, as the dataset's policies say: announce, announce as removed, ask for a publication. */
  readonly act: boolean;
  /** Carried over continue-as-new. */
  readonly at?: { readonly place: ReconcilePlace; readonly part: number; readonly so: Reconciled } | undefined;
}

/** What a reconciliation has found, so far or in all. Also the answer of the query `status`. */
export interface Reconciled {
  readonly counts: Readonly<Record<DeviationKind, number>>;
  /** Files, granules and instants that were compared. */
  readonly compared: number;
  /** Places that did not answer. */
  readonly silent: number;
  /** Deviations about which something was done. */
  readonly acted: number;
  /** The first ones; all of them stand in `report`. */
  readonly shown: readonly Deviation[];
  /** What people should know, a line each. */
  readonly notes: readonly string[];
  /** Folder (`file:///…`) with all deviations, one JSON object a line. */
  readonly report: string;
}

/** A part of a reconciliation. */
export interface ReconciledPart extends Pick<Reconciled, "compared" | "silent" | "notes" | "report"> {
  readonly counts: Partial<Readonly<Record<DeviationKind, number>>>;
  readonly acted: number;
  readonly shown: readonly Deviation[];
  /** Something waits that only a publication can settle. */
  readonly isToPublish: boolean;
  /** Undefined: that was all. */
  readonly next: ReconcilePlace | undefined;
}

export interface ReconcileActivities {
  /** Compares a part, from `place` on, and does something about what differs where that is asked for. `id` and `part` name its report. */
  reconcilePart(input: ReconcileInput, id: string, part: number, place: ReconcilePlace): Promise<ReconciledPart>;
  /** Wakes the dataset. */
  publishReconciled(dataset: DatasetReference): Promise<void>;
}
