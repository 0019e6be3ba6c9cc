export type {
  DatasetActivities,
  Downloaded,
  DriftDone,
  GranuleActivities,
  GranuleReference,
  MaintenanceActivities,
  Refused,
  Scanned,
  Swept,
  Verdict,
  Withdrawal,
} from "./activities.ts";
export type {
  BackfillActivities,
  BackfillCounts,
  BackfillFound,
  BackfillGranule,
  BackfillInput,
  BackfillPage,
  BackfillPlace,
  BackfillSearch,
  BackfillSettled,
  BackfillStatus,
  FindPlace,
} from "./backfill.ts";
export type {
  CmrActivities,
  CmrInput,
  CmrLook,
  CmrPlace,
  CmrSearched,
  CmrSince,
  CmrSums,
} from "./cmr.ts";
export type {
  DatasetInput,
  DatasetSettings,
  DatasetStage,
  DatasetStatus,
  FormState,
  ProductTrouble,
  PublicationKind,
  PublicationPlan,
  PublicationResult,
} from "./dataset.ts";
export type { BackfillRequest, ErrandActivities, Replay, Replayed } from "./errand.ts";
export type {
  Announcement,
  DatasetReference,
  Decision,
  GranuleInput,
  GranuleResult,
  GranuleStage,
  GranuleStatus,
} from "./granule.ts";
export {
  backfillWorkflowId,
  cmrWorkflowId,
  datasetWorkflowId,
  granuleWorkflowId,
  listingWorkflowId,
  maintenanceWorkflowId,
  notificationWorkflowId,
  reconcileWorkflowId,
  runsScheduleId,
  runWorkflowId,
  SEARCH_ATTRIBUTES,
  type SearchAttributeName,
  TASK_QUEUE,
} from "./ids.ts";
export type { Listed, ListingActivities, ListingInput, ListingPlace, ListingSums } from "./listing.ts";
export type {
  Notification,
  NotificationActivities,
  NotificationInput,
  NotificationOutcome,
  NotificationTarget,
} from "./notification.ts";
export type {
  Candidate,
  Change,
  Operation,
  OperationResult,
  Rebuild,
  Release,
  Rollback,
  Upkeep,
} from "./operation.ts";
export {
  type Deviation,
  type DeviationKind,
  RECONCILE_STEPS,
  type ReconcileActivities,
  type Reconciled,
  type ReconciledPart,
  type ReconcileInput,
  type ReconcilePlace,
  type ReconcileStep,
} from "./reconcile.ts";
export type { GiveUp, RunActivities, RunInput, RunReference, RunStage, RunStatus } from "./run.ts";
