// `npm run bench -- [PART…]`: what things cost, as tables and as JSON in .freshet/bench/. Nothing is judged here: the machine's load is part of every
// figure. `--help` lists the parts.
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { backfill } from "./backfill.ts";
import { burst } from "./burst.ts";
import { combine } from "./combine.ts";
import { download } from "./download.ts";
import { table } from "./figures.ts";
import { forecast } from "./forecast.ts";
import { forms } from "./forms.ts";
import { granule } from "./granule.ts";
import { growth } from "./growth.ts";
import { latency } from "./latency.ts";
import { memory } from "./memory.ts";
import { oneMore } from "./one-more.ts";
import { starters } from "./starters.ts";

type Rows = readonly Readonly<Record<string, string | number>>[];

const HELP = `npm run bench -- [PART…] [--help]: what things cost. Without a part: all of them, but backfill, combine and one-more, which take long.

  latency      from announcement to readable, one by one                     --count 200 --rate 2
  burst        announced as fast as Temporal takes them                      --burst 300
  granule      what a granule's activities do, without Temporal              --count 200
  growth       one granule more, part by part, late and replaced too         --sizes 1000,100000,1000000 (references)
  one-more     one granule more with few and many present, in turn           --present 10,1000,100000
  forecast     a run of 49 files into a forecast of so many days, all views  --days 30
  forms        kerchunk JSON and Parquet: written, one granule more, read
  combine      scanned granules into one dataset, beside kerchunk and VirtualiZarr
               --files 100,1000,3000 --peers FOLDER (make_granules.py, peers.py, requirements.txt) [--python PYTHON] [--series FOLDER]
  backfill     from an HTTP server to the last version, granules a minute    --granules 1000 --window 50 --minutes 15
  starters     announcements a second, by webhook, SQS and AMQP              --announcements 2000
  memory       of a worker's parts over a large product                      --granules 100000
  download     copies beside curl; memory while downloads wait               --waiting 1,1000

Examples:
  npm run bench -- download
  npm run bench -- combine --peers ../shared/bench
  npm run bench -- backfill --granules 1000,10000 --minutes 30
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: "string", default: "200" },
    rate: { type: "string", default: "2" },
    burst: { type: "string", default: "300" },
    sizes: { type: "string", default: "1000,100000,1000000" },
    announcements: { type: "string", default: "2000" },
    granules: { type: "string" },
    present: { type: "string", default: "10,1000,100000" },
    days: { type: "string", default: "30" },
    files: { type: "string", default: "100,1000,3000" },
    peers: { type: "string" },
    python: { type: "string" },
    series: { type: "string" },
    window: { type: "string", default: "50" },
    minutes: { type: "string", default: "15" },
    help: { type: "boolean", default: false },
    waiting: { type: "string", default: "1,1000" },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const numbers = (text: string): number[] => text.split(",").map(Number);
const python = values.python ?? process.env.FRESHET_BENCH_PYTHON;
const say = (line: string): void => console.error(line);

const PARTS: Readonly<Record<string, () => Promise<Rows>>> = {
  latency: () => latency(Number(values.count), Number(values.rate), say),
  burst: async () => [...(await burst(Number(values.burst), "0s")), ...(await burst(Number(values.burst), "1s"))],
  granule: () => granule(Number(values.count)),
  growth: () => growth(numbers(values.sizes), say),
  "one-more": () => oneMore(numbers(values.present), say),
  forecast: () => forecast(numbers(values.days), say),
  combine: () => combine({ sizes: numbers(values.files), peers: values.peers, python, series: values.series }, say),
  backfill: () =>
    backfill(numbers(values.granules ?? "1000"), { window: Number(values.window), minutes: Number(values.minutes) }, say),
  forms: () => forms(3_000, say),
  starters: () => starters(Number(values.announcements), say),
  memory: () => memory(Number(values.granules ?? 100_000), say),
  download: () => download(numbers(values.waiting), say),
};

/** Asked for by name only. */
const LONG = ["backfill", "combine", "one-more"];
const chosen = positionals.length === 0 ? Object.keys(PARTS).filter((name) => !LONG.includes(name)) : positionals;
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
