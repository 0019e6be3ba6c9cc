export { backfill } from "./backfill.ts";
export { dataset } from "./dataset.ts";
export { granule } from "./granule.ts";
export { maintenance } from "./maintenance.ts";
