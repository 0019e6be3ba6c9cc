import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { run } from "./child.mjs";
import { withLock } from "./lock.mjs";
import { cacheRoot } from "./places.mjs";
import { say, timed } from "./report.mjs";

/** Its ranges, conditions and listings were held against those of S3. */
const VERSION = "1.8.0";
const MODULE = "github.com/versity/versitygw/cmd/versitygw";

/** What gets versitygw where there is none. */
export const VERSITYGW_COMMAND = `CGO_ENABLED=0 go install ${MODULE}@v${VERSION}`;

/**
 * The program versitygw, an S3 server over a folder: the one that FRESHET_VERSITYGW names, the cache's, or one that `go install` made.
 *
 * @returns {string | undefined}
 */
export function findVersitygw(env = process.env) {
  const places = env.FRESHET_VERSITYGW
    ? [env.FRESHET_VERSITYGW]
    : [join(folderOf(env), "versitygw"), join(env.GOBIN || join(env.GOPATH || join(homedir(), "go"), "bin"), "versitygw")];
  return places.find((place) => existsSync(place));
}

/**
 * For tests only: builds versitygw into the cache with `go install`, 3 minutes on two cores when nothing is cached. Without it the
 * tests of S3 are skipped by name.
 */
export async function ensureVersitygw(env = process.env) {
  if (findVersitygw(env) !== undefined) return;
  const folder = folderOf(env);
  await withLock(`${folder}.lock`, async () => {
    if (findVersitygw(env) !== undefined) return;
    const go = await run("go", ["version"], { env: { ...env, GOTOOLCHAIN: "local" }, limitMs: 20_000 });
    if (go.code !== 0) {
      say("versitygw: Go is not installed, the tests of S3 will be skipped");
      return;
    }
    await timed(`versitygw ${VERSION}: go install, about 3 minutes on two cores, once`, () => build(folder, env));
  });
}

async function build(folder, env) {
  const staging = `${folder}.build`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  try {
    const { code, output, error } = await run("go", ["install", "-trimpath", "-ldflags", "-s -w", `${MODULE}@v${VERSION}`], {
      // Outside the project, so that no go.mod or go.work of a folder above it is read.
      cwd: staging,
      env: { ...env, CGO_ENABLED: "0", GOTOOLCHAIN: "local", GOBIN: staging, GOWORK: "off" },
      limitMs: 20 * 60_000,
    });
    if (code !== 0) {
      const said = error?.message ?? output.split("\n").slice(-3).join(" / ");
      say(`versitygw could not be built, the tests of S3 will be skipped: ${said}`);
      return;
    }
    mkdirSync(folder, { recursive: true });
    renameSync(join(staging, "versitygw"), join(folder, "versitygw"));
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function folderOf(env) {
  return join(cacheRoot(env), `versitygw-${VERSION}`);
}
