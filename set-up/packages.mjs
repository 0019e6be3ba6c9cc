import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "./child.mjs";
import { SetUpFailure } from "./failure.mjs";
import { withLock } from "./lock.mjs";
import { local, project, withFirstInPath } from "./places.mjs";
import { timed } from "./report.mjs";

const modules = join(project, "node_modules");
const stampFile = join(modules, ".freshet-set-up.json");

/**
 * Step 2: the npm packages at the versions of package-lock.json.
 *
 * @param {string} node the Node that runs npm: under an older one npm quietly chooses older packages
 */
export async function ensurePackages(node) {
  const wanted = stamp();
  if (readText(stampFile) === wanted) return;
  await withLock(join(local, "packages.lock"), async () => {
    if (readText(stampFile) === wanted) return;
    if (!installedMatchesLock()) await timed("npm packages at the versions of package-lock.json (npm ci)", () => install(node));
    writeFileSync(stampFile, wanted);
  });
}

async function install(node) {
  // No install script is needed; --include=dev because NODE_ENV=production would leave out what tests and checks need.
  const args = ["ci", "--ignore-scripts", "--include=dev", "--include=optional", "--no-audit", "--no-fund", "--prefix", project];
  const { code, output, error } = await run("npm", args, { cwd: project, env: withFirstInPath(dirname(node), npmEnv()) });
  if (code === 0) return;
  throw new SetUpFailure("the npm packages could not be installed.", {
    tried: [`npm ci: ${error?.message ?? `exit code ${code}`}`],
    output,
    remedy: "make the npm registry reachable (npm ping) and see that the disk has 1 GB free; then run the same command again.",
  });
}

/** The environment without what `npm run` adds, which would tell an npm inside it to work for another folder. */
export function npmEnv(env = process.env) {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => !/^(npm_(lifecycle|package)_.*|npm_config_(local_)?prefix|npm_command|INIT_CWD)$/i.test(name),
    ),
  );
}

function stamp() {
  const lock = createHash("sha256")
    .update(readFileSync(join(project, "package-lock.json")))
    .digest("hex");
  return `${JSON.stringify({ lock, platform: `${process.platform}-${process.arch}` })}\n`;
}

/** Whether someone has already installed exactly these packages by hand: npm's own record says so. */
function installedMatchesLock() {
  const installed = packagesOf(join(modules, ".package-lock.json"));
  const wanted = packagesOf(join(project, "package-lock.json"));
  if (installed === undefined || wanted === undefined) return false;
  const complete = Object.entries(wanted).every(
    ([path, { version, optional, peer }]) =>
      path === "" || installed[path]?.version === version || (!(path in installed) && (optional || peer)),
  );
  return complete && Object.keys(installed).every((path) => path in wanted);
}

function packagesOf(file) {
  const text = readText(file);
  return text === undefined ? undefined : JSON.parse(text).packages;
}

function readText(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
