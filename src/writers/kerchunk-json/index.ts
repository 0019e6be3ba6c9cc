export { changesJson, type WrittenReferences } from "./changes-json.ts";
export { type KerchunkJson, type KerchunkJsonOptions, kerchunkJson } from "./kerchunk-json.ts";
