import type { DatasetReference } from "./granule.ts";

/** Where a run of a model is: the same words as in `freshet runs`. The last two are ends. */
export type RunStage = "open" | "late" | "complete" | "given up";

/** One run of a dataset. */
export interface RunReference {
  readonly dataset: DatasetReference;
  /** Forecast reference time, milliseconds since 1970. */
  readonly runMs: number;
}

export interface RunInput extends RunReference {
  /** Where it was when it continued as new. */
  readonly stage?: RunStage | undefined;
}

/** What the ledger says of a run. Small: which granules they are stays in the ledger. Also the answer of the query `status`. */
export interface RunStatus {
  /** `20240901T0600Z`. */
  readonly run: string;
  readonly stage: RunStage;
  /** Cells of a run, and those that nothing is waited for any more. */
  readonly cells: number;
  readonly there: number;
  /** Cells of which something came after the deadline, and in quarantine. */
  readonly late: number;
  readonly quarantined: number;
  /** The leads that are waited for, in words: `7h, 31h..33h`; empty where there are none. */
  readonly awaited: string;
  /** When something of it was heard last, milliseconds since 1970. */
  readonly heardMs: number | undefined;
  /** Until when (inclusive) it should be whole; undefined where the dataset file does not say. */
  readonly dueMs: number | undefined;
  /** From when on it is no longer waited for. */
  readonly givenUpMs: number;
  /** Who has given it up, and why, where somebody has. */
  readonly givenUp?: string | undefined;
}

/** The update `giveUp` of a run: nobody waits for the rest of it any more. Answers where the run is then. */
export interface GiveUp {
  /** Why. */
  readonly reason: string;
  /** Who says so. */
  readonly by?: string | undefined;
  /** What has come of it and is not published stays out. Default: it is published. */
  readonly leave?: boolean | undefined;
}

export interface RunActivities {
  /** What the ledger says of the run now. */
  lookAtRun(run: RunReference): Promise<RunStatus>;
  /** Records in the ledger that the run is given up, and answers what the ledger says of it now. May run twice. */
  giveUpRun(run: RunReference, asked: GiveUp): Promise<RunStatus>;
  /** Wakes the dataset: what waited for the run may be published. */
  releaseRun(dataset: DatasetReference): Promise<void>;
  /** Starts the workflows of the runs that have begun lately and are not whole. Answers their names. */
  openRuns(dataset: DatasetReference): Promise<readonly string[]>;
}
