import { existsSync } from "node:fs";
import { join } from "node:path";
import { run } from "./child.mjs";
import { withLock } from "./lock.mjs";
import { cacheRoot } from "./places.mjs";
import { say, timed } from "./report.mjs";

/** The command that installs `packages`, as a person would type it. */
export function aptCommand(packages) {
  return `apt-get install -y --no-install-recommends ${packages.join(" ")}`;
}

/**
 * Installs system packages as root on Debian, with a line that says so; elsewhere, and with FRESHET_NO_SYSTEM_PACKAGES=1, nothing
 * happens. What cannot be installed is said, and missed by whoever needs it.
 *
 * @param {{ purpose: string, packages: readonly string[], isThere: () => boolean }} wanted
 */
export async function ensureDebianPackages({ purpose, packages, isThere }, env = process.env) {
  if (isThere() || env.FRESHET_NO_SYSTEM_PACKAGES === "1") return;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return;
  await withLock(join(cacheRoot(env), "system-packages.lock"), async () => {
    if (isThere()) return;
    const [command, ...args] = aptCommand(packages).split(" ");
    // At this run level Debian's scripts do not start the server that they install.
    const quiet = { ...env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
    await timed(`${purpose}: ${aptCommand(packages)} (FRESHET_NO_SYSTEM_PACKAGES=1 prevents it)`, async () => {
      await run(command, ["update"], { env: quiet, limitMs: 5 * 60_000 });
      const { code, output } = await run(command, args, { env: quiet, limitMs: 10 * 60_000 });
      if (code === 0) return;
      say(`${purpose} could not be installed, its tests will be skipped: ${output.split("\n").slice(-2).join(" / ")}`);
    });
  });
}
