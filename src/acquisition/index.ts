export { allowedUri } from "./allowed.ts";
export { announceList, settleGranules } from "./backfill.ts";
export { type Passed, passGate } from "./gate.ts";
export { openSource, s3ConnectionOf } from "./open-source.ts";
export { recordVerdict } from "./record-verdict.ts";
export { type AcquisitionContext, resolveRevision } from "./resolve-revision.ts";
export { placeOf, type ScannedRevision, scanRevision } from "./scan-revision.ts";
export { type Finding, lookAtSource, type SweepContext, type SweptPage, sweepPage } from "./sweep.ts";
export { withdrawAnnounced } from "./withdraw.ts";
