import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../bin/freshet.mjs", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `freshet ARGS` to its end; `started` gets hold of the process, and of what it says, as soon as it exists. */
export function freshet(
  args: readonly string[],
  started?: (kill: (signal: NodeJS.Signals) => void, stdout: Readable) => void,
  environment: NodeJS.ProcessEnv = {},
): Promise<Ended> {
  const { FRESHET_TRACE: _, ...env } = process.env;
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, ...args], {
    env: { ...env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  started?.((signal) => child.kill(signal), child.stdout);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
