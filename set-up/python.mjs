import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./child.mjs";
import { SetUpFailure } from "./failure.mjs";
import { findPython } from "./find-python.mjs";
import { withLock } from "./lock.mjs";
import { cacheRoot } from "./places.mjs";
import { timed } from "./report.mjs";

/**
 * Step 4, for tests only: a Python environment with exactly the packages of a requirements file. Its folder is named by what is in
 * it, so a changed file makes a new one and leaves the others alone.
 *
 * @param {{ purpose: string, requirements: string, versions: readonly string[] }} wanted `purpose` in a word, `requirements` a file,
 *   `versions` of Python, the best first
 * @returns {Promise<string>} the path of the environment's python
 */
export async function ensurePython({ purpose, requirements, versions }, env = process.env) {
  const key = createHash("sha256")
    .update(`${process.platform}-${process.arch}\n`)
    .update(readFileSync(requirements))
    .digest("hex")
    .slice(0, 12);
  const root = cacheRoot(env);
  const complete = versions.map((version) => join(root, `python-${purpose}-${version}-${key}`)).find(isComplete);
  if (complete && !env.FRESHET_PYTHON) return pythonOf(complete);

  const found = await findPython(versions, env);
  if (!("path" in found)) {
    throw new SetUpFailure(`no Python ${versions.join(" or ")} was found; the tests read what is published with Python.`, {
      tried: found.tried,
      remedy: `install Python ${versions[0]} with its venv module (Debian: apt-get install python3-venv; or pyenv install ${versions[0]}), or name one in FRESHET_PYTHON; then run the same command again.`,
    });
  }
  const folder = join(root, `python-${purpose}-${found.version.split(".").slice(0, 2).join(".")}-${key}`);
  if (isComplete(folder)) return pythonOf(folder);
  await withLock(`${folder}.lock`, async () => {
    if (isComplete(folder)) return;
    await timed(`Python ${found.version} with the packages of ${requirements.split("/").slice(-2).join("/")} (${purpose})`, () =>
      install(found.path, folder, requirements),
    );
  });
  return pythonOf(folder);
}

/** An environment cannot be moved after it is made, so it is marked as complete instead of being renamed; pip's cache makes a second try short. */
async function install(python, folder, requirements) {
  if (existsSync(folder) && readdirSync(folder).length > 0) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await must([python, "-m", "venv", folder], folder);
  const pip = [
    pythonOf(folder),
    "-m",
    "pip",
    "install",
    "--disable-pip-version-check",
    "--no-input",
    "--only-binary",
    ":all:",
    "-r",
    requirements,
  ];
  await must(pip, folder);
  await must([pythonOf(folder), "-m", "pip", "check"], folder);
  writeFileSync(join(folder, ".complete"), "");
}

async function must([command, ...args], folder) {
  const { code, output, error } = await run(command, args, { env: { ...process.env, PYTHONNOUSERSITE: "1" } });
  if (code === 0) return;
  throw new SetUpFailure("the Python environment could not be made.", {
    tried: [`${[command, ...args].join(" ")}: ${error?.message ?? `exit code ${code}`}`],
    output,
    remedy: `make the Python package index reachable and see that ${folder} can be written; then run the same command again.`,
  });
}

function isComplete(folder) {
  return existsSync(join(folder, ".complete")) && existsSync(pythonOf(folder));
}

function pythonOf(folder) {
  return join(folder, "bin", "python");
}
