// Adds to package-lock.json what `npm install` leaves out of it: the packages of other platforms that this machine's registry does not
// serve. Without them `npm ci` calls the lock file incomplete. Run it after every `npm install`; test/set-up/lock-file.test.ts asks for it.
import { readFileSync, writeFileSync } from "node:fs";

interface Entry {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const file = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(file, "utf8")) as { packages: Record<string, Entry> };

/** The platform that a package's name tells, as npm compares it: `oxc-parser/binding-linux-arm-musleabihf` → linux, arm, musl. */
function platformOf(name: string): { os?: string[]; cpu?: string[]; libc?: string[] } {
  const parts = (name.split("/").at(-1) ?? "").split("-");
  const os = parts.filter((part) =>
    ["aix", "android", "darwin", "freebsd", "linux", "openharmony", "sunos", "win32"].includes(part),
  );
  const cpu = parts.filter((part) => ["arm", "arm64", "ia32", "loong64", "ppc64", "riscv64", "s390x", "x64"].includes(part));
  const libc =
    os[0] !== "linux"
      ? []
      : parts.flatMap((part) => (part.startsWith("musl") ? ["musl"] : part.startsWith("gnu") ? ["glibc"] : []));
  return { ...(cpu.length > 0 && { cpu }), ...(libc.length > 0 && { libc }), ...(os.length > 0 && { os }) };
}

let added = 0;
for (const { optionalDependencies = {}, dev } of Object.values(lock.packages)) {
  for (const [name, range] of Object.entries(optionalDependencies)) {
    const path = `node_modules/${name}`;
    if (Object.keys(lock.packages).some((other) => other.endsWith(path))) continue;
    const version = range.replace(/^[~^]/, "");
    lock.packages[path] = { version, ...platformOf(name), ...(dev && { dev }), optional: true } as Entry;
    added++;
  }
}
const { "": root, ...packages } = lock.packages;
lock.packages = { "": root ?? {}, ...Object.fromEntries(Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, "en"))) };
if (added > 0) writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`);
console.log(`${added} packages of other platforms added to package-lock.json`);
