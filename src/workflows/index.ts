export { backfill } from "./backfill.ts";
export { cmr } from "./cmr.ts";
export { dataset } from "./dataset.ts";
export { granule } from "./granule.ts";
export { listing } from "./listing.ts";
export { maintenance } from "./maintenance.ts";
export { notification } from "./notification.ts";
export { reconcile } from "./reconcile.ts";
export { openRuns, run } from "./run.ts";
