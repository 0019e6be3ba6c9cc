import type { Explanation, Scan } from "../scan/index.ts";
import { arraysOf, describeDataType, type VariableOutcome, type VirtualArray } from "../virtual/index.ts";
import { count, describeBytes, table } from "./table.ts";

/** The scan with these variables refused: what it is to be written to cannot hold them. */
export function refuse(scan: Scan, refused: readonly VariableOutcome[]): Scan {
  if (refused.length === 0) return scan;
  const byPath = new Map(refused.map((outcome) => [outcome.path, outcome]));
  return { ...scan, outcomes: scan.outcomes.map((outcome) => byPath.get(outcome.path) ?? outcome) };
}

/** How every variable ended, and the file. */
export function scanReport(scan: Scan): unknown {
  return { file: { outcome: "scanned", reason: "" }, variables: scan.outcomes };
}

/** All that `freshet scan --json` says of one file. */
export function scanJson(scan: Scan, seconds: number, explanation?: Explanation): unknown {
  const arrays = new Map(arraysOf(scan.root));
  const { etag, lastModifiedMs, size } = scan.identity;
  return {
    uri: scan.uri,
    format: scan.format,
    size,
    etag,
    lastModified: lastModifiedMs === undefined ? undefined : new Date(lastModifiedMs).toISOString(),
    requests: scan.requests,
    roundTrips: scan.roundTrips,
    bytesRead: scan.bytesRead,
    seconds: Math.round(seconds * 1000) / 1000,
    variables: scan.outcomes.map((outcome) => ({ ...outcome, ...arrayFacts(arrays.get(outcome.path)) })),
    explanation,
  };
}

function arrayFacts(array: VirtualArray | undefined): Record<string, unknown> {
  if (array === undefined) return {};
  const { ranges, inlined, missing, rangeBytes } = array.manifest.counts();
  return {
    shape: array.shape,
    chunkShape: array.chunkShape,
    dimensions: array.dimensionNames,
    type: describeDataType(array.dataType),
    codecs: array.codecs.map((codec) => codec.name),
    ranges,
    inlined,
    missing,
    rangeBytes,
  };
}

const FORMATS = { hdf5: "HDF5", netcdf3: "NetCDF classic" } as const;

/** The scan for a person, as lines: a summary, and the variables of each group. */
export function scanTable(scan: Scan, seconds: number): string[] {
  const arrays = new Map(arraysOf(scan.root));
  const number = (outcome: string): number => scan.outcomes.filter((item) => item.outcome === outcome).length;
  const states = ["referenced", "inlined", "refused"]
    .filter((state) => number(state) > 0)
    .map((state) => `${number(state)} ${state}`);
  const lines = [
    scan.uri,
    `${FORMATS[scan.format]}, ${describeBytes(scan.identity.size)}; ${count(scan.outcomes.length, "variable")}` +
      `${states.length === 0 ? "" : `: ${states.join(", ")}`}; ` +
      `${readsOf(scan)}, ${describeBytes(scan.bytesRead)}, ${seconds.toFixed(2)} s`,
  ];
  const groups = Map.groupBy(scan.outcomes, ({ path }) => path.slice(0, path.lastIndexOf("/")));
  for (const [group, outcomes] of groups) {
    lines.push("", group === "" ? "/" : group);
    const rows = outcomes.map((outcome) => variableRow(outcome, arrays.get(outcome.path)));
    lines.push(...table(COLUMNS, rows));
  }
  return lines;
}

function readsOf({ uri, requests, roundTrips }: Scan): string {
  const reads = count(requests, "read");
  return uri.startsWith("http") ? `${reads} in ${count(roundTrips, "round trip")}` : reads;
}

/** Why a variable ended as it did, for a person: the outcome, and what the file's structures say, in the order of following them. */
export function explanationTable(uri: string, { path, outcome, reason, evidence }: Explanation): string[] {
  const rows = evidence.map(({ offset, structure, says }) => [`${offset}`, structure, says]);
  return [uri, `${path}: ${outcome}${reason === "" ? "" : `, ${reason}`}`, "", ...table(EVIDENCE, rows)];
}

const EVIDENCE = [{ title: "offset", align: "right" }, { title: "structure" }, { title: "says" }] as const;

const COLUMNS = [
  { title: "name" },
  { title: "shape" },
  { title: "chunks" },
  { title: "type" },
  { title: "codecs" },
  { title: "references", align: "right" },
  { title: "bytes", align: "right" },
  { title: "outcome" },
] as const;

function variableRow({ path, outcome, reason }: VariableOutcome, array: VirtualArray | undefined): string[] {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const ended = reason === "" ? outcome : `${outcome}: ${reason}`;
  if (array === undefined) return [name, "", "", "", "", "", "", ended];
  const { ranges, missing, inlined, rangeBytes } = array.manifest.counts();
  const inlineBytes = array.manifest.inlined.values().reduce((sum, bytes) => sum + bytes.length, 0);
  const sizes = (lengths: readonly number[]): string => (lengths.length === 0 ? "scalar" : lengths.join("×"));
  const named = array.shape.map((length, axis) => `${array.dimensionNames[axis] ?? "?"} ${length}`).join(", ");
  return [
    name,
    named === "" ? "scalar" : named,
    sizes(array.chunkShape),
    describeDataType(array.dataType),
    array.codecs.map((codec) => codec.name.replace(/^numcodecs\./, "")).join(" "),
    `${ranges === 0 && inlined > 0 ? "inline" : ranges}${missing === 0 ? "" : ` (${missing} missing)`}`,
    describeBytes(rangeBytes + inlineBytes),
    ended,
  ];
}
