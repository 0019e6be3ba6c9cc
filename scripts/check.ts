// `npm run check`: everything that can be said of the code without running it, one line each; what is wrong is printed in full.
import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

interface Outcome {
  readonly ok: boolean;
  readonly note: string;
  readonly details: string;
}

interface Check {
  readonly name: string;
  readonly run: () => Promise<Outcome>;
}

const checks: readonly Check[] = [
  { name: "types", run: types },
  { name: "format and lint", run: formatAndLint },
  { name: "room directions", run: roomDirections },
  { name: "unused code", run: unusedCode },
];

async function types(): Promise<Outcome> {
  const { code, output } = await tool("typescript/bin/tsc", ["--project", "tsconfig.json", "--pretty", "false", "--listFiles"]);
  const lines = output.split("\n");
  const isFile = (line: string) => /^\/.*\.\w+$/.test(line);
  const own = lines.filter((line) => isFile(line) && !line.includes("/node_modules/"));
  return {
    ok: code === 0 && own.length > 0,
    note: `tsc, ${own.length} files`,
    details: lines.filter((line) => !isFile(line)).join("\n"),
  };
}

async function formatAndLint(): Promise<Outcome> {
  const { code, output } = await tool("@biomejs/biome/bin/biome", [
    "ci",
    "--colors=off",
    "--max-diagnostics=50",
    "--error-on-warnings",
    ".",
  ]);
  const files = /Checked (\d+) files/.exec(output)?.[1] ?? "0";
  return { ok: code === 0 && Number(files) > 0, note: `biome, ${files} files; "npm run fix" repairs most`, details: output };
}

/**
 * A cruiser that cannot read TypeScript sees no modules, finds nothing wrong and exits 0: what it saw is compared with what there is.
 */
async function roomDirections(): Promise<Outcome> {
  const config = ["--config", ".dependency-cruiser.mjs"];
  const json = await tool("dependency-cruiser/bin/dependency-cruiser.mjs", [...config, "--output-type", "json", "src"]);
  const result = parseCruise(json.stdout);
  if (result === undefined) return { ok: false, note: "dependency-cruiser gave no result", details: json.output };
  const seen = new Set(result.modules.map(({ source }) => source).filter((source) => source.startsWith("src/")));
  const unseen = globSync("src/**/*.ts", { cwd: root }).filter((file) => !seen.has(file));
  const broken = result.summary.violations.map(
    ({ rule, from, to, cycle }) => `${rule.name}: ${[from, ...(cycle?.map(({ name }) => name) ?? [to])].join(" → ")}`,
  );
  return {
    ok: broken.length === 0 && unseen.length === 0 && seen.size > 0,
    note: `dependency-cruiser, ${seen.size} modules seen`,
    details: [...broken, ...unseen.map((file) => `not seen: ${file}`)].join("\n"),
  };
}

interface Cruise {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly {
      readonly rule: { readonly name: string };
      readonly from: string;
      readonly to: string;
      readonly cycle?: readonly { readonly name: string }[];
    }[];
  };
}

function parseCruise(text: string): Cruise | undefined {
  try {
    return JSON.parse(text) as Cruise;
  } catch {
    return undefined;
  }
}

async function unusedCode(): Promise<Outcome> {
  const { code, output } = await tool("knip/bin/knip.js", ["--no-progress"]);
  return { ok: code === 0, note: "knip", details: output };
}

/** Runs a development dependency's program under this Node. */
function tool(path: string, args: readonly string[]): Promise<{ code: number | null; stdout: string; output: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ code: number | null; stdout: string; output: string }>();
  const child = spawn(process.execPath, [`node_modules/${path}`, ...args], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.on("error", reject);
  child.on("close", (code) => resolve({ code, stdout, output }));
  return promise;
}

const failed: string[] = [];
for (const { name, run } of checks) {
  const started = performance.now();
  const { ok, note, details } = await run();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${ok ? "ok    " : "FAILED"} ${name.padEnd(16)} ${seconds.padStart(5)} s  ${note}`);
  if (!ok) {
    failed.push(name);
    console.log(details.trimEnd().replace(/^/gm, "  | "));
  }
}
console.log(failed.length === 0 ? "all checks passed" : `failed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
