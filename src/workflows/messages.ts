import { defineQuery, defineSignal, defineUpdate } from "@temporalio/workflow";
import type {
  Announcement,
  BackfillRequest,
  BackfillStatus,
  Candidate,
  Change,
  DatasetReference,
  DatasetSettings,
  DatasetStatus,
  Decision,
  GiveUp,
  GranuleStatus,
  OperationResult,
  Rebuild,
  Reconciled,
  Release,
  Replay,
  Replayed,
  Rollback,
  RunStatus,
  Upkeep,
} from "../contract/index.ts";

/** The granule was announced (again). */
export const announceSignal = defineSignal<[Announcement]>("announce");
/** Where is this granule? */
export const granuleStatusQuery = defineQuery<GranuleStatus>("status");
/** An operator decides about a granule in quarantine; refused while it is not there. Answers the stage that follows. */
export const decideUpdate = defineUpdate<string, [Decision]>("decide");

/** How far is this backfill? */
export const backfillStatusQuery = defineQuery<BackfillStatus>("status");
/** A backfill begins no more granules, and those under way end; a dataset publishes nothing more. */
export const pauseSignal = defineSignal("pause");
export const resumeSignal = defineSignal("resume");

/** What has this reconciliation found so far? */
export const reconcileStatusQuery = defineQuery<Reconciled>("status");

/** Something of the run may be there. Carries the dataset file in force, nothing of the run: the ledger has it. */
export const lookSignal = defineSignal<[DatasetReference]>("look");
/** What is there of this run? Undefined until it has looked for the first time. */
export const runStatusQuery = defineQuery<RunStatus | undefined>("status");

/** An operator gives the run up. Answers where it is then. */
export const giveUpUpdate = defineUpdate<RunStatus, [GiveUp]>("giveUp");

/** There may be something to publish. Carries nothing: the ledger is the queue. */
export const wakeSignal = defineSignal("wake");
/** The dataset file changed in a way that needs no rebuilding. */
export const configureSignal = defineSignal<[DatasetSettings]>("configure");
/** What is this dataset doing? */
export const datasetStatusQuery = defineQuery<DatasetStatus>("status");

/** A granule is announced again, from where it came last. Answers the workflow that has it. */
export const replayUpdate = defineUpdate<Replayed, [Replay]>("replay");
/** The granules of a span are brought in, behind live work. Answers the workflow that does it. */
export const backfillUpdate = defineUpdate<{ readonly workflowId: string }, [BackfillRequest]>("backfill");

type Results = readonly OperationResult[];

/** What operators ask of a dataset, one after the other and never beside a publication; each answers when it is done. */
export const rollbackUpdate = defineUpdate<Results, [Rollback]>("rollback");
export const releaseUpdate = defineUpdate<Results, [Release]>("release");
export const rebuildUpdate = defineUpdate<Results, [Rebuild]>("rebuild");
export const candidateUpdate = defineUpdate<Results, [Candidate]>("candidate");
export const upkeepUpdate = defineUpdate<Results, [Upkeep]>("upkeep");
export const changeUpdate = defineUpdate<Results, [Change]>("change");
