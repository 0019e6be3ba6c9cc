// `npm run bench -- [PART…] [--count N] [--rate 2] [--burst N] [--sizes 1000,100000] [--granules N] [--announcements N] [--waiting 1,1000]`: what things cost, as tables and as JSON in .freshet/bench/. Nothing is
// judged here: the machine's load is part of every figure.
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { burst } from "./burst.ts";
import { download } from "./download.ts";
import { table } from "./figures.ts";
import { forms } from "./forms.ts";
import { granule } from "./granule.ts";
import { growth } from "./growth.ts";
import { latency } from "./latency.ts";
import { memory } from "./memory.ts";
import { starters } from "./starters.ts";

type Rows = readonly Readonly<Record<string, string | number>>[];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: "string", default: "200" },
    rate: { type: "string", default: "2" },
    burst: { type: "string", default: "300" },
    sizes: { type: "string", default: "1000,100000,1000000" },
    announcements: { type: "string", default: "2000" },
    granules: { type: "string", default: "100000" },
    waiting: { type: "string", default: "1,1000" },
  },
});
const say = (line: string): void => console.error(line);

const PARTS: Readonly<Record<string, () => Promise<Rows>>> = {
  latency: () => latency(Number(values.count), Number(values.rate), say),
  burst: async () => [...(await burst(Number(values.burst), "0s")), ...(await burst(Number(values.burst), "1s"))],
  granule: () => granule(Number(values.count)),
  growth: () => growth(values.sizes.split(",").map(Number), say),
  forms: () => forms(3_000, say),
  starters: () => starters(Number(values.announcements), say),
  memory: () => memory(Number(values.granules), say),
  download: () => download(values.waiting.split(",").map(Number), say),
};

const chosen = positionals.length === 0 ? Object.keys(PARTS) : positionals;
for (const name of chosen) if (PARTS[name] === undefined) throw new Error(`no part ${name}: ${Object.keys(PARTS).join(", ")}`);
const started = new Date();
const results: Record<string, { readonly load: readonly [before: number, after: number]; readonly rows: Rows }> = {};
for (const name of chosen) {
  const before = loadavg()[0] as number;
  const rows = (await PARTS[name]?.()) ?? [];
  results[name] = { load: [before, loadavg()[0] as number], rows };
  console.log(
    `\n${name} (load of the machine before and after: ${results[name].load.map((load) => load.toFixed(1)).join(", ")})`,
  );
  console.log(table(rows));
}
const folder = fileURLToPath(new URL("../.freshet/bench/", import.meta.url));
await mkdir(folder, { recursive: true });
const file = join(folder, `${started.toISOString().replace(/[:.]/g, "-")}.json`);
const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version };
await writeFile(file, `${JSON.stringify({ started, machine, results }, undefined, 2)}\n`);
console.log(`\n${file}`);
process.exit(0);
