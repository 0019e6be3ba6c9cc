// `npm run corpus -- FOLDER…`: every file under the folders is scanned by `freshet scan`, and an oracle that knows nothing of Freshet
// compares what a reader gets through the references with what h5py and netCDF4 read from the file. Prints the oracle's table.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, Option } from "commander";

const project = fileURLToPath(new URL("..", import.meta.url));

/** Other scanners, by the programs beside the oracle that run them. */
const PEERS = { kerchunk: "kerchunk_scan.py", virtualizarr: "virtualizarr_scan.py" } as const;

interface Options {
  readonly only?: "netcdf3" | "netcdf4" | "hdf5";
  readonly jobs: string;
  readonly oracle?: string;
  readonly json?: string;
  readonly load?: string;
  readonly peer?: keyof typeof PEERS;
  readonly verbose?: boolean;
}

/** The counts that mean that a reader would be misled, or gets nothing: none of them may be there. */
const FATAL = [
  "WRONG",
  "MISSING",
  "unreadable",
  "file crashed",
  "file timeout",
  "no-oracle file crashed",
  "no-oracle file timeout",
];

class Unusable extends Error {}

async function judge(folders: readonly string[], options: Options): Promise<number> {
  const oracle = oracleProgram(options.oracle);
  const python = await oraclePython();
  const work = await mkdtemp(join(tmpdir(), "freshet-corpus-"));
  try {
    const results = options.json ?? join(work, "results.json");
    const load = options.load === undefined ? "" : ` --load ${quoted(options.load)}`;
    const scanner =
      options.peer === undefined
        ? `${quoted(process.execPath)} ${quoted(join(project, "bin/freshet.mjs"))} scan {file} --refs {refs} --report {report}${load}`
        : `${quoted(python)} ${quoted(join(dirname(oracle), "adapters", PEERS[options.peer]))} {file} {refs} {report}`;
    const files = options.only === undefined ? folders : ["--files-from", await listed(folders, options.only, work)];
    const quiet = options.verbose === true ? [] : ["--quiet"];
    const code = await run(python, [oracle, "--scanner", scanner, "--jobs", options.jobs, "--json", results, ...quiet, ...files]);
    if (code !== 0) return code;
    // A peer is shown, not judged.
    return options.peer === undefined ? await verdict(results) : 0;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function verdict(results: string): Promise<number> {
  const { summary } = JSON.parse(await readFile(results, "utf8")) as { summary: { all: Record<string, number> } };
  const fatal = FATAL.filter((name) => (summary.all[name] ?? 0) > 0);
  if (fatal.length === 0) return 0;
  process.stderr.write(
    `corpus: ${fatal.map((name) => `${summary.all[name]} ${name}`).join(", ")}; --json FILE keeps the details\n`,
  );
  return 1;
}

function oracleProgram(named: string | undefined): string {
  const folder = named ?? process.env.FRESHET_ORACLE ?? join(project, "../shared/oracle");
  const program = folder.endsWith(".py") ? resolve(folder) : resolve(folder, "fidelity.py");
  if (existsSync(program)) return program;
  throw new Unusable(`the oracle is not there: no ${program}. Name its folder by --oracle or FRESHET_ORACLE`);
}

/** A Python with the oracle's requirements: by name, or the one that set-up has made. */
async function oraclePython(): Promise<string> {
  const named = process.env.FRESHET_ORACLE_PYTHON;
  if (named !== undefined && named !== "") return named;
  const record = await readFile(join(project, ".freshet/set-up.json"), "utf8").catch(() => "{}");
  const made = (JSON.parse(record) as { oraclePython?: string }).oraclePython;
  if (made !== undefined && existsSync(made)) return made;
  throw new Unusable(
    "the oracle needs a Python of its own. Make it once: npm run set-up -- oracle ORACLE/requirements.txt; or name one by FRESHET_ORACLE_PYTHON",
  );
}

/** A file with the paths of the files that are of the format, by their first bytes. */
async function listed(folders: readonly string[], only: NonNullable<Options["only"]>, work: string): Promise<string> {
  const paths: string[] = [];
  for (const folder of folders) {
    const names = (await stat(folder)).isDirectory()
      ? await readdir(folder, { recursive: true, withFileTypes: true })
      : undefined;
    if (names === undefined) paths.push(resolve(folder));
    else paths.push(...names.filter((entry) => entry.isFile()).map((entry) => resolve(entry.parentPath, entry.name)));
  }
  const chosen: string[] = [];
  for (const path of paths.toSorted()) if ((await isClassic(path)) === (only === "netcdf3")) chosen.push(path);
  const list = join(work, "files.txt");
  await writeFile(list, `${chosen.join("\n")}\n`);
  return list;
}

async function isClassic(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(3), 0, 3, 0);
    return buffer.toString("latin1") === "CDF";
  } finally {
    await file.close();
  }
}

function run(command: string, args: readonly string[]): Promise<number> {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { stdio: "inherit" });
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => child.kill(signal));
    child.on("error", (error) => fail(new Unusable(`${command} cannot be run: ${error.message}`)));
    child.on("close", (code) => done(code ?? 1));
  });
}

/** The oracle splits the scanner's command as a shell would. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'"'"'`)}'`;
}

const program = new Command("npm run corpus --")
  .argument("<folder...>", "folders or files")
  .addOption(new Option("--only <format>", "only files of this format").choices(["netcdf3", "netcdf4", "hdf5"]))
  .option("--jobs <count>", "files at a time", "2")
  .option("--oracle <folder>", "where fidelity.py is (default: FRESHET_ORACLE, or ../shared/oracle)")
  .option("--json <file>", "keep every result here")
  .option("--load <names>", "passed on to freshet scan: the values are then decoded by us as well")
  .addOption(new Option("--peer <scanner>", "judge another scanner instead").choices(Object.keys(PEERS)))
  .option("--verbose", "print a line for each file");

program.action(async (folders: string[], options: Options) => {
  try {
    process.exitCode = await judge(folders, options);
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    process.stderr.write(`corpus: ${error.message}\n`);
    process.exitCode = 2;
  }
});
await program.parseAsync();
