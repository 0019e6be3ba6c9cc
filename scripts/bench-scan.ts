// `npm run bench:scan -- FOLDER`: scans beside kerchunk and VirtualiZarr, in one run on the same files. FOLDER has make_granules.py, peers.py
// and the requirements.txt that set-up makes a Python environment of. Prints a table, and writes JSON with --json FILE.
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Command } from "commander";
import { serveWithLatency } from "../bench/scan/latency-server.ts";
import { table } from "../src/cli/table.ts";

const project = fileURLToPath(new URL("..", import.meta.url));
const NODE_OPTIONS = ["--disable-warning=ExperimentalWarning"];
const LATENCY_MS = 30;
const GRANULES = ["small", "typical", "chunks10k", "chunks100k"];

interface Options {
  readonly python?: string;
  readonly repeat: string;
  readonly granules?: string;
  readonly only?: string;
  readonly json?: string;
}

/** What one scanner took for one place; seconds. */
interface Figure {
  readonly place: string;
  readonly who: string;
  readonly wall?: number;
  readonly cpu?: number;
  readonly error?: string;
  readonly requests?: number;
  readonly roundTrips?: number;
  readonly bytesRead?: number;
  readonly metadataBytes?: number;
  readonly longestBlockMs?: number;
  readonly peakMb?: number;
}

const program = new Command("npm run bench:scan --")
  .argument("<folder>", "with make_granules.py, peers.py and requirements.txt")
  .option("--python <path>", "a Python with the requirements (set-up names the one that it has made)")
  .option("--repeat <count>", "scans of each file in a warm process; the shortest counts", "7")
  .option("--granules <folder>", "granules that make_granules.py has made already; default: made in a temporary folder")
  .option("--only <names>", `of ${GRANULES.join(", ")}: these, separated by commas`)
  .option("--json <file>", "write all figures there");
program.action(bench);
await program.parseAsync();

async function bench(folder: string, options: Options): Promise<void> {
  const peers = resolve(folder);
  const python = options.python ?? process.env.FRESHET_BENCH_PYTHON;
  if (python === undefined) return program.error("bench:scan: no Python was named (--python)", { exitCode: 2 });
  if (!existsSync(join(peers, "peers.py"))) return program.error(`bench:scan: no peers.py in ${folder}`, { exitCode: 2 });
  const temporary = await mkdtemp(join(tmpdir(), "freshet-bench-"));
  try {
    const granules = options.granules === undefined ? temporary : resolve(options.granules);
    const names = options.only?.split(",") ?? GRANULES;
    if (options.granules === undefined) await run(python, [join(peers, "make_granules.py"), granules, "--only", ...names]);
    const files = (await Promise.all(names.map((name) => granulesIn(join(granules, name))))).flat();
    await measure(files, { python, peers, granules, repeat: options.repeat, temporary, json: options.json });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function granulesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => /\.(nc|h5)$/.test(name))
    .toSorted()
    .map((name) => join(folder, name));
}

interface Setting {
  readonly python: string;
  readonly peers: string;
  readonly granules: string;
  readonly temporary: string;
  readonly repeat: string;
  readonly json: string | undefined;
}

async function measure(files: readonly string[], setting: Setting): Promise<void> {
  const bandwidth = memoryBandwidth();
  const figures: Record<"inProcess" | "remote" | "command", Figure[]> = { inProcess: [], remote: [], command: [] };
  const ours = (repeat: string, place: string): string[] => [...NODE_OPTIONS, join(project, "bench/scan/ours.ts"), repeat, place];
  const theirs = join(project, "bench/scan/theirs.py");
  const server = await serveWithLatency(setting.granules, LATENCY_MS);
  try {
    // One file after the other, everybody on it: what else the machine does changes with the minutes.
    for (const file of files) {
      say(`${basename(file)} …`);
      figures.inProcess.push(...(await lines(process.execPath, ours(setting.repeat, file))));
      figures.inProcess.push(...(await lines(setting.python, [theirs, setting.peers, setting.repeat, file])));
      const url = `${server.origin}/${relative(setting.granules, file)}`;
      figures.remote.push(...(await lines(process.execPath, ours("2", url))));
      figures.remote.push(...(await lines(setting.python, [theirs, setting.peers, "1", url])));
      figures.command.push(...(await commands(file, setting, theirs)));
    }
  } finally {
    await server.close();
  }
  const report = { machine: machine(), bandwidth, latencyMs: LATENCY_MS, ...figures };
  if (setting.json !== undefined) await writeFile(setting.json, `${JSON.stringify(report, undefined, 1)}\n`);
  print(files, figures, bandwidth, `${server.origin}/`, setting.granules);
}

function machine() {
  const [cpu] = cpus();
  return { cpus: cpus().length, model: cpu?.model, node: process.version, load: loadavg()[0] };
}

/** As commands, from start to end: `freshet scan`, what a Python program of three lines does, `h5dump -H` where it is installed. */
async function commands(file: string, { python, peers, temporary }: Setting, theirs: string): Promise<Figure[]> {
  const freshet = [...NODE_OPTIONS, join(project, "bin/freshet.mjs"), "scan", file, "--refs", join(temporary, "refs.json")];
  const wanted: readonly (readonly [who: string, command: string, args: readonly string[]])[] = [
    ["freshet", process.execPath, freshet],
    ["kerchunk", python, [theirs, peers, "0", file]],
    ["virtualizarr", python, [theirs, peers, "0", file]],
    ["h5dump -H", "h5dump", ["-H", file]],
  ];
  const figures: Figure[] = [];
  for (const [who, command, args] of wanted) {
    let wall = Number.POSITIVE_INFINITY;
    try {
      for (let time = 0; time < 3; time++) {
        const started = performance.now();
        await promisify(execFile)(command, args, { env: { ...process.env, PEER: who }, maxBuffer: 2 ** 30 });
        wall = Math.min(wall, (performance.now() - started) / 1000);
      }
      figures.push({ place: file, who, wall });
    } catch (error) {
      const isAbsent = (error as NodeJS.ErrnoException).code === "ENOENT";
      figures.push({ place: file, who, error: isAbsent ? "not installed" : (error as Error).message.slice(0, 200) });
    }
  }
  return figures;
}

/** Bytes a second that this machine copies. */
function memoryBandwidth(): number {
  const from = new Uint8Array(2 ** 27).fill(1);
  const to = new Uint8Array(from.length);
  let best = Number.POSITIVE_INFINITY;
  for (let time = 0; time < 5; time++) {
    const started = performance.now();
    to.set(from);
    best = Math.min(best, performance.now() - started);
  }
  return from.length / (best / 1000);
}

function print(
  files: readonly string[],
  figures: Readonly<Record<"inProcess" | "remote" | "command", readonly Figure[]>>,
  bandwidth: number,
  origin: string,
  granules: string,
): void {
  const nameOf = (place: string): string => relative(granules, place.replace(origin, `${granules}/`)).replace(/\.\w+$/, "");
  const find = (all: readonly Figure[], file: string, who: string) =>
    all.find((figure) => figure.who === who && nameOf(figure.place) === nameOf(file));
  const ms = (seconds: number | undefined): string =>
    seconds === undefined ? "–" : (seconds * 1000).toFixed(seconds < 0.1 ? 1 : 0);
  const ratio = (all: readonly Figure[], file: string, what: "wall" | "cpu"): string => {
    const own = find(all, file, "freshet")?.[what];
    const best = Math.min(...["kerchunk", "virtualizarr"].map((who) => find(all, file, who)?.[what] ?? Number.POSITIVE_INFINITY));
    return own === undefined || !Number.isFinite(best) ? "–" : `1/${(best / own).toFixed(1)}`;
  };
  const columns = (titles: readonly string[]) =>
    titles.map((title, index) => ({ title, align: index === 0 ? "left" : "right" }) as const);
  const section = (title: string, heads: readonly string[], row: (file: string) => readonly string[]): void => {
    const rows = files.map((file) => [nameOf(file), ...row(file)]);
    console.log([`\n${title}`, ...table(columns(["granule", ...heads]), rows)].join("\n"));
  };
  const { inProcess, remote, command } = figures;
  const { cpus: count, model, node, load } = machine();
  console.log(`\n${count} × ${model}, Node ${node}, load ${load?.toFixed(1)}; copies ${(bandwidth / 1e9).toFixed(1)} GB/s`);
  section(
    "In process, warm, local: the shortest run in ms, and its CPU time (all threads)",
    [
      "freshet",
      "cpu",
      "kerchunk",
      "cpu",
      "VirtualiZarr",
      "cpu",
      "to the best",
      "by cpu",
      "floor",
      "× floor",
      "longest block",
      "peak MB",
    ],
    (file) => {
      const own = find(inProcess, file, "freshet");
      const floor = own?.metadataBytes === undefined ? undefined : own.metadataBytes / bandwidth;
      return [
        ...["freshet", "kerchunk", "virtualizarr"].flatMap((who) => {
          const figure = find(inProcess, file, who);
          return [ms(figure?.wall), ms(figure?.cpu)];
        }),
        ratio(inProcess, file, "wall"),
        ratio(inProcess, file, "cpu"),
        floor === undefined ? "–" : (floor * 1000).toFixed(2),
        floor === undefined || own?.wall === undefined ? "–" : (own.wall / floor).toFixed(0),
        `${own?.longestBlockMs ?? "–"} ms`,
        `${own?.peakMb ?? "–"}`,
      ];
    },
  );
  section(
    `Over HTTP, ${LATENCY_MS} ms: seconds`,
    ["freshet", "round trips", "requests", "bytes", "of metadata", "kerchunk", "VirtualiZarr", "to the best"],
    (file) => {
      const own = find(remote, file, "freshet");
      const metadata = find(inProcess, file, "freshet")?.metadataBytes;
      const seconds = (who: string): string => find(remote, file, who)?.wall?.toFixed(2) ?? "–";
      return [
        seconds("freshet"),
        `${own?.roundTrips ?? "–"}`,
        `${own?.requests ?? "–"}`,
        `${own?.bytesRead ?? "–"}`,
        own?.bytesRead === undefined || metadata === undefined ? "–" : `× ${(own.bytesRead / metadata).toFixed(1)}`,
        seconds("kerchunk"),
        seconds("virtualizarr"),
        ratio(remote, file, "wall"),
      ];
    },
  );
  section(
    "As a command, from start to end: seconds",
    ["freshet", "kerchunk", "VirtualiZarr", "h5dump -H", "to the best"],
    (file) => [
      ...["freshet", "kerchunk", "virtualizarr", "h5dump -H"].map((who) => find(command, file, who)?.wall?.toFixed(2) ?? "–"),
      ratio(command, file, "wall"),
    ],
  );
  const failures = Object.values(figures)
    .flat()
    .filter(({ error }) => error !== undefined && error !== "not installed");
  for (const { who, place, error } of failures) console.log(`${who} ${nameOf(place)}: ${error}`);
}

async function lines(command: string, args: readonly string[]): Promise<Figure[]> {
  const { stdout } = await promisify(execFile)(command, args, { maxBuffer: 2 ** 26 });
  return stdout
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Figure);
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ["ignore", process.stderr, "inherit"] });
  const code = await new Promise((done, fail) => child.on("error", fail).on("close", done));
  if (code !== 0) throw new Error(`${basename(command)} ended with ${code}`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
