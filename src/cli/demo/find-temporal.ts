import { delimiter, join } from "node:path";
import { FreshetError } from "../../errors/index.ts";
import { isProgram } from "../is-program.ts";
import { readSetUpRecord, type SetUpRecord } from "../set-up-record.ts";

/** A Temporal server that runs, or the CLI that can start one. */
export type Temporal = { readonly kind: "address"; readonly address: string } | { readonly kind: "cli"; readonly path: string };

/**
 * The first of: TEMPORAL_ADDRESS, TEMPORAL_CLI_PATH, what set-up found, `temporal` in PATH.
 * @throws FreshetError `unreachable` when there is none.
 */
export function findTemporal(environment: NodeJS.ProcessEnv = process.env, record: SetUpRecord = readSetUpRecord()): Temporal {
  if (environment.TEMPORAL_ADDRESS) return { kind: "address", address: environment.TEMPORAL_ADDRESS };
  const { TEMPORAL_CLI_PATH: named } = environment;
  if (named) return { kind: "cli", path: isProgram(named) ? named : missing(`TEMPORAL_CLI_PATH names ${named}, no program`) };
  if (record.temporal?.kind === "cli" && isProgram(record.temporal.path)) return { kind: "cli", path: record.temporal.path };
  const folders = (environment.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const inPath = folders.map((folder) => join(folder, "temporal")).find(isProgram);
  if (inPath !== undefined) return { kind: "cli", path: inPath };
  if (record.temporal?.kind === "address") return record.temporal;
  return missing("neither TEMPORAL_ADDRESS nor a Temporal CLI");
}

function missing(found: string): never {
  throw new FreshetError("unreachable", "no Temporal server can be had", {
    found,
    remedy: "Run set-up, which obtains one (npm run demo), or set TEMPORAL_ADDRESS to a server that runs",
  });
}
