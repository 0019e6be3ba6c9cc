export type { DatasetActivities, Downloaded, GranuleActivities, GranuleReference, Scanned, Verdict } from "./activities.ts";
export type {
  DatasetInput,
  DatasetSettings,
  DatasetStage,
  DatasetStatus,
  ProductTrouble,
  PublicationPlan,
  PublicationResult,
} from "./dataset.ts";
export type {
  Announcement,
  DatasetReference,
  Decision,
  GranuleInput,
  GranuleResult,
  GranuleStage,
  GranuleStatus,
} from "./granule.ts";
export { datasetWorkflowId, granuleWorkflowId, SEARCH_ATTRIBUTES, type SearchAttributeName, TASK_QUEUE } from "./ids.ts";
