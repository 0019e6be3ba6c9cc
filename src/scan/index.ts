export { readScan, writeScan } from "./artefact.ts";
export { type Scan, type ScanOptions, scan } from "./scan.ts";
export { type ScanAddress, ScanStore } from "./scan-store.ts";
export type { Format } from "./sniff.ts";
export { openVirtualArray, type ReadRange, readVirtualArray } from "./virtual-store.ts";
