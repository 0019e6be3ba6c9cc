export type { CheckOptions, CheckSubject, Compared, Disagreement, ProductCheck } from "./check.ts";
export { checkProduct } from "./check-product.ts";
export { Operator } from "./operator.ts";
export { lookAtProduct, type ProductState, ProductStores, readState } from "./product-store.ts";
export { Publisher, type PublisherParts } from "./publisher.ts";
export { reconcilePart } from "./reconcile/reconcile-part.ts";
export { type Restored, type RestoredProduct, restoreLedger } from "./restore-ledger.ts";
export { StaleSources } from "./stale-sources.ts";
export type { Tick } from "./turn.ts";
