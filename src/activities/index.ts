export { createBackfillActivities } from "./backfill-activities.ts";
export { createDatasetActivities } from "./dataset-activities.ts";
export { DatasetFiles } from "./dataset-files.ts";
export { toFailure } from "./error-table.ts";
export { createGranuleActivities } from "./granule-activities.ts";
export { createListingActivities } from "./listing-activities.ts";
export { createMaintenanceActivities } from "./maintenance-activities.ts";
export { createReconcileActivities } from "./reconcile-activities.ts";
