export { Operator } from "./operator.ts";
export { lookAtProduct, type ProductState, ProductStores } from "./product-store.ts";
export { Publisher, type PublisherParts } from "./publisher.ts";
export { type Restored, type RestoredProduct, restoreLedger } from "./restore-ledger.ts";
export type { Tick } from "./turn.ts";
