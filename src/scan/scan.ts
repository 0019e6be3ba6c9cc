import { isFreshetError } from "../errors/index.ts";
import type { FormatOptions, FormatScan } from "../formats/format-scan.ts";
import { scanHdf5 } from "../formats/hdf5/index.ts";
import { scanNetcdf3 } from "../formats/netcdf3/index.ts";
import {
  learnFirstRead,
  type RangeReader,
  type ReadingPlan,
  readingPlanOf,
  type SourceIdentity,
  withBlockCache,
  withCounters,
} from "../storage/index.ts";
import type { VariableOutcome, VirtualGroup } from "../virtual/index.ts";
import { type Load, loadValues, matchesName } from "./load-values.ts";
import type { NativeCopy } from "./native-copy.ts";
import type { Samples } from "./samples.ts";
import { type Format, sniffFormat } from "./sniff.ts";
import { readFrom } from "./virtual-store.ts";

export interface ScanOptions extends Pick<FormatOptions, "inlineBytes" | "chunkBytes" | "openBeside"> {
  /** Arrays left out, by name or absolute path; of a group's path, all that is in it. Their outcome is `refused`, with this reason. */
  readonly drop?: readonly string[];
  /** Arrays whose values are read and inlined. Default "coordinates"; [] for none. */
  readonly load?: Load;
  /** More of them, beside those of `load`: each has to be in the file. */
  readonly alsoLoad?: readonly string[];
  /** Coordinates of axes: arrays without their dimensions are read and inlined too, as coordinates are. */
  readonly loadWithout?: readonly string[];
  /** How the metadata are read. Default: `readingPlanOf` the source. */
  readonly plan?: ReadingPlan;
  readonly signal?: AbortSignal;
}

/** What is known of one revision of a source without having read its data. */
export interface Scan {
  readonly uri: string;
  readonly identity: SourceIdentity;
  readonly format: Format;
  readonly root: VirtualGroup;
  /** Every variable of the source once. */
  readonly outcomes: readonly VariableOutcome[];
  /** Reads of the source, the bytes that they brought, and how many of them had to wait for one another. */
  readonly requests: number;
  readonly bytesRead: number;
  readonly roundTrips: number;
  /** What another decoder said of the source; absent where none was asked. */
  readonly samples?: Samples;
  /** Absent where the chunks are the source's own. */
  readonly copy?: NativeCopy;
}

/** The scan with what another decoder said of its source; kept with it. */
export function withSamples(scan: Scan, samples: Samples): Scan {
  return { ...scan, samples };
}

/** Small reads far apart: a record of a coordinate is a few bytes, and its neighbour may lie megabytes on. */
const VALUES = { blockBytes: 16 * 1024 };

/**
 * Scans one source: finds the format by signature, and the byte range of every chunk without reading the data. Does not close
 * the reader.
 * @throws FreshetError `unknown-format`, `malformed`, `truncated`, `unsupported`, `source-…`, and for a `load` that names
 *   arrays, what `loadValues` throws. A single variable that cannot be referenced is an outcome, not an error.
 */
export async function scan(reader: RangeReader, options: ScanOptions = {}): Promise<Scan> {
  try {
    return await scanSource(reader, options);
  } catch (error) {
    throw isFreshetError(error) && error.facts.uri === undefined ? error.at({ uri: reader.uri }) : error;
  }
}

async function scanSource(reader: RangeReader, options: ScanOptions): Promise<Scan> {
  const counted = withCounters(reader);
  const cached = withBlockCache(counted, options.plan ?? readingPlanOf(reader.uri));
  const format = await sniffFormat(cached, options.signal);
  const found = await scanFormat(format, cached, options);
  learnFirstRead(reader.uri, cached.usedBlocks());
  const kept = dropArrays(found, options.drop ?? []);
  const values = withBlockCache(counted, VALUES);
  const read = readFrom(values);
  const coordinates = await loadValues(kept, options.load ?? "coordinates", read, options.signal);
  const fixed = await loadValues(coordinates, { without: options.loadWithout ?? [] }, read, options.signal);
  const loaded = await loadValues(fixed, options.alsoLoad ?? [], read, options.signal);
  return {
    uri: reader.uri,
    identity: reader.identity,
    format,
    ...loaded,
    requests: counted.requests,
    bytesRead: counted.bytes,
    roundTrips: counted.roundTrips,
  };
}

function scanFormat(format: Format, reader: RangeReader, options: FormatOptions): Promise<FormatScan> {
  switch (format) {
    case "netcdf3":
      return scanNetcdf3(reader, options);
    case "hdf5":
      return scanHdf5(reader, options);
  }
}

function isBelow(path: string, group: string): boolean {
  return group.startsWith("/") && path.startsWith(`${group}/`);
}

function dropArrays(scan: FormatScan, names: readonly string[]): FormatScan {
  if (names.length === 0) return scan;
  const isDropped = (path: string): boolean => names.some((name) => matchesName(path, name) || isBelow(path, name));
  const keep = (group: VirtualGroup, prefix: string): VirtualGroup => ({
    ...group,
    arrays: new Map([...group.arrays].filter(([name]) => !isDropped(`${prefix}/${name}`))),
    groups: new Map(
      [...group.groups]
        .filter(([name]) => !names.includes(`${prefix}/${name}`))
        .map(([name, child]) => [name, keep(child, `${prefix}/${name}`)]),
    ),
  });
  const outcomes = scan.outcomes.map(
    (outcome): VariableOutcome =>
      isDropped(outcome.path) ? { path: outcome.path, outcome: "refused", reason: "dropped by request" } : outcome,
  );
  return { root: keep(scan.root, ""), outcomes };
}
