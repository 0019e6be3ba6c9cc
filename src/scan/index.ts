export { readScan, writeScan } from "./artefact.ts";
export { registerCodecs } from "./decoding.ts";
export type { Sample, Samples } from "./samples.ts";
export { type Scan, type ScanOptions, scan, withSamples } from "./scan.ts";
export { type ScanAddress, ScanStore } from "./scan-store.ts";
export type { Format } from "./sniff.ts";
export { decodingError, openVirtualArray, ReadFailure, type ReadRange, readFrom, readVirtualArray } from "./virtual-store.ts";
