import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run } from "./child.mjs";
import { withLock } from "./lock.mjs";
import { cacheRoot } from "./places.mjs";
import { say, timed } from "./report.mjs";

/** Where Debian, and those that follow it, put each major version; its programs are not in PATH. */
const DEBIAN = "/usr/lib/postgresql";

/** What gets PostgreSQL where there is none. */
export const POSTGRES_COMMAND = "apt-get install -y --no-install-recommends postgresql";

/**
 * The folder with `initdb` and `postgres`: the one that FRESHET_POSTGRES_BIN names, one of PATH, or the newest of Debian's.
 *
 * @returns {string | undefined}
 */
export function findPostgres(env = process.env, debian = DEBIAN) {
  const versions = existsSync(debian) ? readdirSync(debian).filter((name) => /^\d+$/.test(name)) : [];
  versions.sort((a, b) => Number(b) - Number(a));
  const folders = env.FRESHET_POSTGRES_BIN
    ? [env.FRESHET_POSTGRES_BIN]
    : [...(env.PATH ?? "").split(delimiter).filter(Boolean), ...versions.map((version) => join(debian, version, "bin"))];
  return folders.find((folder) => ["initdb", "postgres"].every((program) => existsSync(join(folder, program))));
}

/**
 * Step 5, for tests only: PostgreSQL's programs. As root on Debian they are installed where they are missing; without them the tests
 * concerned are skipped by name.
 */
export async function ensurePostgres(env = process.env) {
  if (findPostgres(env) !== undefined || env.FRESHET_NO_SYSTEM_PACKAGES === "1") return;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return;
  await withLock(join(cacheRoot(env), "system-packages.lock"), async () => {
    if (findPostgres(env) !== undefined) return;
    const [command, ...args] = POSTGRES_COMMAND.split(" ");
    // At this run level Debian's scripts do not start the server that they make.
    const quiet = { ...env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
    await timed(`PostgreSQL: ${POSTGRES_COMMAND} (FRESHET_NO_SYSTEM_PACKAGES=1 prevents it)`, async () => {
      await run(command, ["update"], { env: quiet, limitMs: 5 * 60_000 });
      const { code, output } = await run(command, args, { env: quiet, limitMs: 10 * 60_000 });
      if (code !== 0)
        say(`PostgreSQL could not be installed, its tests will be skipped: ${output.split("\n").slice(-2).join(" / ")}`);
    });
  });
}
