import { delimiter, join } from "node:path";
import { findTemporal } from "./demo/find-temporal.ts";
import { isProgram } from "./is-program.ts";

/**
 * How the Temporal CLI is called in this shell: by its name where PATH leads to it, else by its path.
 * @param path of the CLI that is meant; default: the one that set-up found.
 */
export function temporalCommand(path: string | undefined = knownCli()): string {
  const first = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, "temporal"))
    .find(isProgram);
  return path === undefined || path === first ? "temporal" : path;
}

function knownCli(): string | undefined {
  try {
    const { TEMPORAL_ADDRESS: _, ...environment } = process.env;
    const temporal = findTemporal(environment);
    return temporal.kind === "cli" ? temporal.path : undefined;
  } catch {
    return undefined;
  }
}
