export { type KerchunkJson, type KerchunkJsonOptions, kerchunkJson, plainUri } from "./kerchunk-json.ts";
