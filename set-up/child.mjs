import { spawn } from "node:child_process";

/** The lines kept of what a program says, for the case that it fails: some say it first, some last. */
const FIRST_LINES = 8;
const LAST_LINES = 12;
/** How long a program gets to end itself before it is killed: npm takes no notice of being asked. */
const PATIENCE_MS = 1_500;

/** Programs under way; each leads a process group of its own, so that its children can be ended with it. */
const running = new Set();

/**
 * Runs a program to its end and answers with its exit code and what it said.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, limitMs?: number, onLine?: (line: string) => void }} options
 * @returns {Promise<{ code: number | null, output: string, stdout: string, error?: Error }>}
 *   `code` is null when it could not be started (`error`), was ended by a signal or by `limitMs`
 */
export function run(command, args, { cwd, env, limitMs, onLine } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    running.add(child);
    const first = [];
    const last = [];
    let stdout = "";
    const keep = (line) => {
      if (line.trim() === "") return;
      if (first.length < FIRST_LINES) first.push(line);
      else last.push(line);
      if (last.length > LAST_LINES) last.shift();
      onLine?.(line);
    };
    const outLines = splitLines(keep);
    const errLines = splitLines(keep);
    child.stdout.setEncoding("utf8").on("data", (text) => {
      if (stdout.length < 100_000) stdout += text;
      outLines(text);
    });
    child.stderr.setEncoding("utf8").on("data", errLines);
    const timer = limitMs && setTimeout(() => endGroup(child, "SIGKILL"), limitMs);
    const finish = (code, error) => {
      clearTimeout(timer);
      running.delete(child);
      outLines("\n");
      errLines("\n");
      resolve({ code, stdout, output: [...first, ...last].join("\n"), ...(error && { error }) });
    };
    child.on("error", (error) => finish(null, error));
    child.on("close", (code) => finish(code));
  });
}

/** Ends every program under way, children included, and waits for them. */
export async function endAll() {
  const ended = [...running].map((child) => {
    const over = new Promise((resolve) => child.once("close", resolve));
    endGroup(child, "SIGTERM");
    const timer = setTimeout(() => endGroup(child, "SIGKILL"), PATIENCE_MS);
    return over.then(() => clearTimeout(timer));
  });
  await Promise.all(ended);
}

function endGroup(child, signal) {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    child.kill(signal);
  }
}

function splitLines(onLine) {
  let rest = "";
  return (text) => {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  };
}
