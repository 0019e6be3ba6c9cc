import { FreshetError } from "../../errors/index.ts";
import type { RangeReader } from "../../storage/index.ts";
import { arraysOf, type VariableOutcome } from "../../virtual/index.ts";
import { matchesName } from "../load-values.ts";
import type { Scan } from "../scan.ts";
import type { Evidence } from "./evidence.ts";
import { explainHdf5 } from "./explain-hdf5.ts";
import { explainNetcdf3 } from "./explain-netcdf3.ts";

/** Why a variable ended as it did. */
export interface Explanation extends VariableOutcome {
  /** What the file's structures say, in the order in which they were followed. */
  readonly evidence: readonly Evidence[];
}

/**
 * Says which structures of the file, at which offsets, led to the outcome of a variable; they are read again for it.
 * @param name the variable's name, or its absolute path.
 * @throws FreshetError `usage` where the scan has no such variable, or several.
 */
export async function explain(reader: RangeReader, scan: Scan, name: string, signal?: AbortSignal): Promise<Explanation> {
  const found = scan.outcomes.filter(({ path }) => matchesName(path, name));
  const [outcome] = found;
  if (outcome === undefined || found.length > 1) {
    const all = [...new Set([...arraysOf(scan.root)].map(([path]) => path).concat(scan.outcomes.map(({ path }) => path)))];
    throw new FreshetError("usage", outcome === undefined ? "there is no such variable" : "several variables have this name", {
      found: name,
      expected: `one of ${(outcome === undefined ? all : found.map(({ path }) => path)).slice(0, 50).join(", ")}`,
      uri: scan.uri,
    });
  }
  const read = scan.format === "hdf5" ? explainHdf5 : explainNetcdf3;
  return { ...outcome, evidence: (await read(reader, outcome.path, signal)) ?? [] };
}
