export { type ArrayFacts, type FormFacts, type GroupFacts, isTime, type ProductFacts } from "./facts.ts";
export { COLLECTION, stacCollection, stacItem } from "./stac.ts";
export { markIn, withEntries, type XredsMap, xredsEntries } from "./xreds.ts";
