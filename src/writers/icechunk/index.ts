export { type ArrayDescription, arrayMetadata, groupMetadata } from "./array-metadata.ts";
export { containerPrefix } from "./containers.ts";
export { IcechunkStore, type StoreOptions, type StoreVersion } from "./icechunk-store.ts";
export { loadIcechunk } from "./load-binding.ts";
export type { ArrayChange, NativeChunk, RowPatch, StoreChange, VirtualChunk } from "./store-change.ts";
export { decodeTexts, encodeTexts } from "./vlen-utf8.ts";
