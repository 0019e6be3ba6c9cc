export { readScan, writeScan } from "./artefact.ts";
export { coordinatePaths } from "./coordinates.ts";
export { matchesName } from "./load-values.ts";
export { type Scan, type ScanOptions, scan } from "./scan.ts";
export { type ScanAddress, ScanStore } from "./scan-store.ts";
export { describeHead, type Format, sniffFormat } from "./sniff.ts";
export { openVirtualArray, type ReadRange, readVirtualArray, VirtualArrayStore } from "./virtual-store.ts";
