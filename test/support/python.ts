import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { readSetUpRecord } from "../../src/cli/set-up-record.ts";

/** The Python with the readers that set-up made. */
export const PYTHON = process.env.FRESHET_TEST_PYTHON ?? readSetUpRecord().python;

/** Why there is no Python, for skipping by name; where REQUIRE_PYTHON=1 or CI is set, that is a failure instead. */
export function missingPython(): string | false {
  if (PYTHON !== undefined) return false;
  const why = "set-up has made no Python environment: run npm test";
  if (process.env.REQUIRE_PYTHON === "1" || process.env.CI === "true") throw new Error(why);
  return why;
}

export interface Comparison {
  readonly wrong: readonly string[];
  /** Readings compared: a variable of a file, raw or decoded. */
  readonly compared: number;
  readonly times: readonly string[];
  readonly gaps: readonly number[];
  readonly sizes: Readonly<Record<string, number>>;
}

/** Has xarray + icechunk read one version and compare it with the source files, each at its slot. */
export async function compareInPython(store: string, version: string, bySlot: ReadonlyMap<number, string>): Promise<Comparison> {
  const script = fileURLToPath(new URL("../python/compare_version.py", import.meta.url));
  const pairs = [...bySlot].map(([slot, path]) => `${slot}=${path}`);
  const { stdout } = await promisify(execFile)(PYTHON as string, [script, store, version, "time", ...pairs], {
    maxBuffer: 1 << 24,
  });
  return JSON.parse(stdout) as Comparison;
}
