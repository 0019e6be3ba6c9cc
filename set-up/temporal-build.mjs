import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "./child.mjs";
import { duration, say, timed } from "./report.mjs";

const MODULE = "github.com/temporalio/cli";
/** What go.mod of version 1.5.1 asks for. */
const NEEDED_GO = [1, 25];
const PROGRESS_EVERY_MS = 15_000;
/** Packages that `go install -v` names in a cold build of version 1.5.1. */
const PACKAGES_ABOUT = 1_300;

/**
 * Builds the CLI into `folder` with `go install`: about 5 minutes on two cores when nothing is cached. Go keeps what it has compiled,
 * so an interrupted build goes on where it stopped.
 *
 * @returns {Promise<string | undefined>} why it could not, or undefined when it is there
 */
export async function buildTemporal({ version, folder, env }) {
  const go = await run("go", ["version"], { env: { ...env, GOTOOLCHAIN: "local" }, limitMs: 20_000 });
  if (go.code !== 0) return "go install: Go is not installed";
  const found = /go(\d+)\.(\d+)\S*/.exec(go.stdout);
  const [major, minor] = found?.slice(1, 3).map(Number) ?? [0, 0];
  if (major < NEEDED_GO[0] || (major === NEEDED_GO[0] && minor < NEEDED_GO[1])) {
    return `go install: Go ${NEEDED_GO.join(".")} or newer is needed, ${found?.[0] ?? "an unknown version"} is installed`;
  }
  return timed(`Temporal CLI ${version}: go install, about 5 minutes on two cores, once`, () =>
    install({ version, folder, env }),
  );
}

async function install({ version, folder, env }) {
  const staging = `${folder}.build`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  const progress = reportProgress();
  try {
    const ldflags = `-s -w -X ${MODULE}/temporalcli.Version=${version}`;
    const { code, output, error } = await run(
      "go",
      ["install", "-v", "-trimpath", "-ldflags", ldflags, `${MODULE}/cmd/temporal@v${version}`],
      {
        // Outside the project, so that no go.mod or go.work of a folder above it is read.
        cwd: staging,
        env: { ...env, CGO_ENABLED: "0", GOTOOLCHAIN: "local", GOBIN: staging, GOWORK: "off" },
        onLine: progress.line,
      },
    );
    if (code !== 0)
      return `go install ${MODULE}/cmd/temporal@v${version}: ${error?.message ?? `exit code ${code}`}: ${lastWords(output)}`;
    mkdirSync(folder, { recursive: true });
    renameSync(join(staging, "temporal"), join(folder, "temporal"));
    return undefined;
  } finally {
    progress.stop();
    rmSync(staging, { recursive: true, force: true });
  }
}

function reportProgress() {
  const started = Date.now();
  let downloaded = 0;
  let compiled = 0;
  const timer = setInterval(() => {
    const stage = compiled > 0 ? `${compiled} of about ${PACKAGES_ABOUT} packages compiled` : `${downloaded} modules downloaded`;
    say(`  still at it: ${stage}, ${duration(Date.now() - started)}`);
  }, PROGRESS_EVERY_MS);
  return {
    line(text) {
      if (text.startsWith("go: downloading ")) downloaded++;
      else if (/^[\w./-]+$/.test(text)) compiled++;
    },
    stop: () => clearInterval(timer),
  };
}

function lastWords(output) {
  return output.split("\n").slice(-3).join(" / ");
}
