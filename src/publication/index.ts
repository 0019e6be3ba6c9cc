export { Operator } from "./operator.ts";
export { lookAtProduct, type ProductState, ProductStores } from "./product-store.ts";
export { Publisher, type PublisherParts } from "./publisher.ts";
export type { Tick } from "./turn.ts";
