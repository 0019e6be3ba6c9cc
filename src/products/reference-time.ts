import { FreshetError } from "../errors/index.ts";
import { arraysOf, textOf, type VirtualGroup } from "../virtual/index.ts";
import { type Dating, decodeTime, readTimeEncoding } from "./cf-time.ts";
import { loadedValues } from "./typed-values.ts";

/**
 * The forecast reference time that a file says of itself, milliseconds since 1970: the one value of the coordinate with that standard
 * name. Undefined where there is none, or none that was read, or several that differ.
 */
export function referenceTimeOf(root: VirtualGroup, dating: Dating = {}): number | undefined {
  for (const [, array] of arraysOf(root)) {
    if (textOf(array.attributes, "standard_name") !== "forecast_reference_time") continue;
    const values = loadedValues(array);
    if (values === undefined || values.length === 0 || values.some((value) => value !== values[0])) continue;
    const encoding = readTimeEncoding(textOf(array.attributes, "units") ?? "", textOf(array.attributes, "calendar"), dating);
    return decodeTime(encoding, values[0] as number | bigint);
  }
  return undefined;
}

/**
 * @param group the group of valid time, in which views make their coordinates.
 * @throws FreshetError `unsupported` for a file that has variables or dimensions of the names that views make.
 */
export function requireFreeNames(root: VirtualGroup, group: string): void {
  for (const [path, array] of arraysOf(root)) {
    const taken = ["run", "lead"].find((name) => path === `${group}/${name}` || array.dimensionNames.includes(name));
    if (taken === undefined) continue;
    throw new FreshetError("unsupported", "the granule has a name of its own for what a view of runs calls so", {
      found: `${taken} in ${path}`,
      path,
      remedy: "Drop the variable",
    });
  }
}
