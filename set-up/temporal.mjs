import { accessSync, constants, existsSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run } from "./child.mjs";
import { SetUpFailure } from "./failure.mjs";
import { withLock } from "./lock.mjs";
import { cacheRoot } from "./places.mjs";
import { say } from "./report.mjs";
import { buildTemporal } from "./temporal-build.mjs";
import { downloadTemporal } from "./temporal-download.mjs";

/** Server 1.29.1: the oldest that Worker Versioning supports, and the newest CLI that `go install` can build. */
const VERSION = "1.5.1";

const REMEDY =
  "one of: install Go 1.25 or newer; install the Temporal CLI 1.5 or newer and put it in PATH (or name it in TEMPORAL_CLI_PATH); " +
  "set TEMPORAL_ADDRESS to a server that runs. Then run the same command again.";

/**
 * Step 3: a real Temporal server, or the CLI that can start one. The first of: TEMPORAL_ADDRESS, TEMPORAL_CLI_PATH, `temporal` in
 * PATH, the cache, the official download, `go install`.
 *
 * @returns {Promise<{ kind: "address", address: string } | { kind: "cli", path: string, version: string }>}
 */
export async function ensureTemporal(env = process.env) {
  if (env.TEMPORAL_ADDRESS) return { kind: "address", address: env.TEMPORAL_ADDRESS };
  if (env.TEMPORAL_CLI_PATH) return namedCli(env.TEMPORAL_CLI_PATH);
  const tried = ["TEMPORAL_ADDRESS, TEMPORAL_CLI_PATH: not set"];

  const inPath = findInPath("temporal", env);
  if (inPath === undefined) tried.push("temporal in PATH: there is none");
  else {
    const version = await versionOf(inPath);
    if (isRecent(version)) return { kind: "cli", path: inPath, version };
    tried.push(`temporal in PATH: ${inPath} is ${version ?? "not the Temporal CLI"}, 1.5 or newer is needed`);
  }

  const folder = join(cacheRoot(env), `temporal-${VERSION}`);
  const path = join(folder, "temporal");
  const cached = { kind: "cli", path, version: VERSION };
  if (isExecutable(path)) return cached;
  tried.push(`the cache: no ${path}`);

  return withLock(`${folder}.lock`, async () => {
    if (isExecutable(path)) return cached;
    const download = await downloadTemporal({ version: VERSION, folder, env });
    if (download === undefined) return cached;
    if (env.FRESHET_NO_DOWNLOADS !== "1") say(download);
    const build = await buildTemporal({ version: VERSION, folder, env });
    if (build === undefined) return cached;
    tried.push(download, build);
    throw new SetUpFailure("no Temporal server can be had.", { tried, remedy: REMEDY });
  });
}

async function namedCli(path) {
  const version = await versionOf(path);
  if (isRecent(version)) return { kind: "cli", path, version };
  const found = !existsSync(path)
    ? "there is no such file"
    : version
      ? `it is version ${version}`
      : "it does not answer as the Temporal CLI";
  throw new SetUpFailure("TEMPORAL_CLI_PATH does not name a Temporal CLI of version 1.5 or newer.", {
    tried: [`${path}: ${found}`],
    remedy: "correct TEMPORAL_CLI_PATH, or unset it to have a CLI obtained; then run the same command again.",
  });
}

/** The version that the CLI at `path` tells, or undefined when it is not the CLI or does not run here. */
async function versionOf(path) {
  const { code, stdout } = await run(path, ["--version"], { limitMs: 20_000 });
  return code === 0 ? /^temporal version (\S+)/.exec(stdout)?.[1] : undefined;
}

function isRecent(version) {
  const [major, minor] = /^v?(\d+)\.(\d+)/
    .exec(version ?? "")
    ?.slice(1)
    .map(Number) ?? [0, 0];
  return major > 1 || (major === 1 && minor >= 5);
}

/** The first executable file `name` in PATH. */
function findInPath(name, env = process.env) {
  return (env.PATH ?? "")
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
