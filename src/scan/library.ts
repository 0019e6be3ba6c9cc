/**
 * The scanner as a library, `import { scan } from "freshet/scan"`. These names, and no others, are kept stable.
 *
 * @module
 */
export { type ErrorKind, FreshetError, isFreshetError } from "../errors/index.ts";
export {
  type HttpReaderOptions,
  openReader,
  type RangeReader,
  type ReaderOptions,
  type S3Connection,
  type SourceIdentity,
} from "../storage/index.ts";
export {
  arraysOf,
  type ChunkManifest,
  type ChunkReference,
  type VariableOutcome,
  type VirtualArray,
  type VirtualGroup,
} from "../virtual/index.ts";
export { readScan, writeScan } from "./artefact.ts";
export type { Evidence } from "./explain/evidence.ts";
export { type Explanation, explain } from "./explain/explain.ts";
export { FilesBeside } from "./files-beside.ts";
export { type Scan, type ScanOptions, scan } from "./scan.ts";
export type { Format } from "./sniff.ts";
