import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { run } from "./child.mjs";

/** What an environment needs: a version that the pinned readers have wheels for, and the modules that make one. */
const PROBE = "import sys, ssl, venv, ensurepip; print('%d.%d.%d' % sys.version_info[:3])";

/**
 * A Python that runs here, found by running candidates: a name in PATH may be a pyenv shim that fails.
 *
 * @param {readonly string[]} versions such as `["3.13", "3.12"]`, the best first
 * @returns {Promise<{ path: string, version: string } | { tried: readonly string[] }>}
 */
export async function findPython(versions, env = process.env) {
  const tried = [];
  const right = [];
  for (const path of candidates(versions, env)) {
    const { code, stdout, output, error } = await run(path, ["-c", PROBE], { env, limitMs: 20_000 });
    const version = stdout.trim();
    const rank = versions.findIndex((wanted) => version.startsWith(`${wanted}.`));
    if (code === 0 && rank === 0) return { path, version };
    if (code === 0 && rank > 0) right.push({ path, version, rank });
    else tried.push(`${path}: ${code === 0 ? `is ${version}` : (error?.message ?? firstLine(output))}`);
  }
  right.sort((a, b) => a.rank - b.rank);
  return right[0] ? { path: right[0].path, version: right[0].version } : { tried };
}

function candidates(versions, env) {
  if (env.FRESHET_PYTHON) return [env.FRESHET_PYTHON];
  const pyenv = join(env.PYENV_ROOT || join(homedir(), ".pyenv"), "versions");
  const byName = versions.map((version) => `python${version}`);
  return [...byName, ...pyenvVersions(pyenv, versions), "python3", "python"];
}

function pyenvVersions(folder, versions) {
  let names = [];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  const patch = (name) => Number(/(\d+)$/.exec(name)?.[1] ?? 0);
  return versions.flatMap((version) =>
    names
      .filter((name) => name.startsWith(`${version}.`))
      .sort((a, b) => patch(b) - patch(a))
      .map((name) => join(folder, name, "bin", "python")),
  );
}

function firstLine(output) {
  return (
    output
      .split("\n")
      .find((line) => line.trim() !== "")
      ?.trim() ?? "does not run"
  );
}
