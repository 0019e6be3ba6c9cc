export { type ArrayDescription, arrayMetadata, groupMetadata } from "./array-metadata.ts";
export { containerPrefix } from "./containers.ts";
export { IcechunkStore, type StageOptions, type StoreOptions } from "./icechunk-store.ts";
export { loadIcechunk } from "./load-binding.ts";
export type { ArrayChange, NativeChunk, RowPatch, StoreChange, VirtualChunk } from "./store-change.ts";
export { storeError } from "./store-error.ts";
export type { StoreVersion } from "./stored-versions.ts";
export type { Amount, ObjectKind, Retention, UpkeepOptions, UpkeepReport } from "./upkeep.ts";
export { decodeTexts, encodeTexts } from "./vlen-utf8.ts";
