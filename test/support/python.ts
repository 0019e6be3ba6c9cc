import assert from "node:assert/strict";
import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
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

const scriptPath = (name: string): string => fileURLToPath(new URL(`../python/${name}`, import.meta.url));

/** What a script of test/python prints that is given these words and, as JSON, this input. */
export async function runPython(script: string, words: readonly string[], input: unknown): Promise<string> {
  const child = spawn(PYTHON as string, [scriptPath(script), ...words], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(input));
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  assert.equal(code, 0, `${script} ${words.join(" ")}`);
  return output;
}

/** What stands in a group: for each cell its index on `dims`, the file it is of, and the file's step. */
export interface ExpectedGroup {
  readonly dims: readonly string[];
  /** The coordinate of time, in the files and in the group. */
  readonly axis: string;
  readonly cells: readonly (number | string)[][];
  /** Variables of the files that the product leaves out. */
  readonly without?: readonly string[];
}

interface RunningComparer {
  readonly process: ChildProcessByStdio<Writable, Readable, null>;
  readonly answers: AsyncIterator<string>;
}

/** Has xarray hold what readers open against source files, one request after the other. */
export class FileComparer {
  #running: RunningComparer | undefined;

  /**
   * Reads groups of one version ("" is the root) and holds every variable, packed and decoded, against xarray's own concatenation of the
   * files. `version` may be `references`: then `store` is kerchunk references.
   */
  async compare(store: string, version: string, groups: Readonly<Record<string, ExpectedGroup>>, atLeast: number): Promise<void> {
    const { process, answers } = this.#start();
    process.stdin.write(`${JSON.stringify({ store, version, groups })}\n`);
    const { value, done } = await answers.next();
    assert.ok(done !== true, "compare_with_files.py ended");
    const { wrong, compared } = JSON.parse(value) as { wrong: string[]; compared: number };
    assert.deepEqual(wrong, [], store);
    assert.ok(compared >= atLeast, `${compared} compared`);
  }

  stop(): void {
    this.#running?.process.kill();
  }

  #start(): RunningComparer {
    if (this.#running === undefined) {
      const process = spawn(PYTHON as string, [scriptPath("compare_with_files.py")], { stdio: ["pipe", "pipe", "inherit"] });
      this.#running = { process, answers: createInterface(process.stdout)[Symbol.asyncIterator]() };
    }
    return this.#running;
  }
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
  const pairs = [...bySlot].map(([slot, path]) => `${slot}=${path}`);
  const { stdout } = await promisify(execFile)(
    PYTHON as string,
    [scriptPath("compare_version.py"), store, version, "time", ...pairs],
    {
      maxBuffer: 1 << 24,
    },
  );
  return JSON.parse(stdout) as Comparison;
}
