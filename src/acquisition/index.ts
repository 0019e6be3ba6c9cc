export { allowedUri } from "./allowed.ts";
export { type Passed, passGate } from "./gate.ts";
export { recordVerdict } from "./record-verdict.ts";
export { type AcquisitionContext, resolveRevision } from "./resolve-revision.ts";
