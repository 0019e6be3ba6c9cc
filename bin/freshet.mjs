// Answers --version before anything is loaded; for the rest, src/cli/main.ts is the program.
import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

const [first] = process.argv.slice(2);
if (first === "--version" || first === "-V") {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  process.stdout.write(`${version}\n`);
} else {
  // Types are stripped and modules compiled once, not at every start; where the folder cannot be written, nothing is lost but time.
  enableCompileCache(fileURLToPath(new URL("../.freshet/compile-cache", import.meta.url)));
  await import("../src/cli/main.ts");
}
