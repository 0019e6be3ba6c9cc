import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const TURNS = 3;
/** A peer that takes longer than this for one turn is asked once. */
const LONG_SECONDS = 20;

export interface CombineOptions {
  readonly sizes: readonly number[];
  /** A folder with make_granules.py and peers.py; undefined: ours alone. */
  readonly peers: string | undefined;
  /** A Python with their requirements. */
  readonly python: string | undefined;
  /** A folder of granules that make_granules.py has made already (`series`). */
  readonly series: string | undefined;
}

interface Figure {
  readonly seconds: number;
  /** Of the processor: what others do on the machine is hardly in it. */
  readonly cpuSeconds: number;
  /** 0 where they were not counted. */
  readonly references: number;
  readonly beforeMiB: number;
  readonly peakMiB: number;
}

/** A process that has its granules scanned, and combines them when asked. */
interface Combiner {
  readonly who: string;
  combine(): Promise<Figure>;
  end(): void;
}

/** So many scanned granules of ten arrays into one dataset, beside kerchunk and VirtualiZarr, in turn: seconds and memory. */
export async function combine({ sizes, peers, python, series }: CombineOptions, say: (line: string) => void) {
  const temporary = await mkdtemp(join(tmpdir(), "freshet-bench-"));
  const rows: Record<string, string | number>[] = [];
  try {
    const folder = series ?? (await madeSeries(temporary, peers, python, Math.max(...sizes), say));
    const present = (await readdir(folder)).filter((name) => name.endsWith(".nc")).length;
    for (const size of sizes) {
      if (size > present) throw new Error(`${folder} has ${present} granules, not ${size}`);
      const combiners = await Promise.all([
        ...["memory", "disk", "store"].map((way) => ours(folder, size, way)),
        ...(peers === undefined || python === undefined
          ? []
          : ["kerchunk", "virtualizarr"].map((peer) => theirs(peer, peers, python, folder, size))),
      ]);
      say(`${size} granules are scanned`);
      rows.push(...(await measured(combiners, size, say)));
    }
    return rows;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function measured(combiners: readonly Combiner[], granules: number, say: (line: string) => void) {
  const figures = combiners.map((): Figure[] => []);
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [index, combiner] of combiners.entries()) {
      const mine = figures[index] as Figure[];
      if ((mine[0]?.seconds ?? 0) > LONG_SECONDS) continue;
      const figure = await combiner.combine();
      mine.push(figure);
      say(`${granules} granules, ${combiner.who}: ${figure.seconds.toFixed(2)} s`);
    }
  }
  for (const combiner of combiners) combiner.end();
  const medians = figures.map((mine) => median(mine.map(({ seconds }) => seconds)));
  const cpu = figures.map((mine) => median(mine.map(({ cpuSeconds }) => cpuSeconds)));
  const rounded = (value: number | undefined): number => Math.round(1000 * (value ?? Number.NaN)) / 1000;
  return combiners.map(({ who }, index) => {
    const mine = figures[index] as Figure[];
    return {
      granules,
      who,
      references: Math.max(...mine.map(({ references }) => references)) || "",
      seconds: rounded(medians[index]),
      "CPU, s": rounded(cpu[index]),
      "CPU, times ours": rounded((cpu[index] as number) / (cpu[0] as number)),
      "scanned, MiB": mine[0]?.beforeMiB ?? 0,
      "peak, MiB": Math.max(...mine.map(({ peakMiB }) => peakMiB)),
    };
  });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const WAYS: Readonly<Record<string, string>> = {
  memory: "Freshet, all in memory",
  disk: "Freshet, scans from disk, in parts",
  store: "Freshet, published in Icechunk",
};

function ours(folder: string, size: number, way: string): Promise<Combiner> {
  const program = fileURLToPath(new URL("./combine-process.ts", import.meta.url));
  return combiner(WAYS[way] ?? way, process.execPath, ["--expose-gc", program, folder, String(size), way]);
}

function theirs(peer: string, peers: string, python: string, folder: string, size: number): Promise<Combiner> {
  const program = fileURLToPath(new URL("./combine.py", import.meta.url));
  return combiner(peer, python, [program, peers, peer, folder, String(size)]);
}

async function combiner(who: string, command: string, args: readonly string[]): Promise<Combiner> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { done, value } = await lines.next();
    if (done === true) throw new Error(`${who} has ended`);
    return value;
  };
  await next();
  return {
    who,
    combine: async () => {
      child.stdin.write("\n");
      return JSON.parse(await next()) as Figure;
    },
    end: () => child.stdin.end(),
  };
}

async function madeSeries(
  temporary: string,
  peers: string | undefined,
  python: string | undefined,
  count: number,
  say: (line: string) => void,
): Promise<string> {
  const maker = join(peers ?? "", "make_granules.py");
  if (peers === undefined || python === undefined || !existsSync(maker))
    throw new Error(
      "combine needs granules: name the folder that has make_granules.py (--peers FOLDER), or of granules (--series FOLDER)",
    );
  say(`making ${count} granules`);
  await promisify(execFile)(python, [maker, temporary, "--only", "series", "--series", String(count)]);
  return join(temporary, "series");
}
