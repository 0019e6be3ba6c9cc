import { type Command, InvalidArgumentError } from "commander";
import { FreshetError } from "../../errors/index.ts";
import { type Scan, scan } from "../../scan/index.ts";
import { type CountingReader, openReader, withCounters } from "../../storage/index.ts";
import { kerchunkJson } from "../../writers/kerchunk-json/index.ts";
import { EXIT, exitCodeOf, failureText } from "../failure.ts";
import { interruptSignal } from "../interrupt.ts";
import { replaceFile } from "../output-file.ts";
import { showProgress } from "../progress.ts";
import { refuse, scanJson, scanReport, scanTable } from "../scan-report.ts";

interface Options {
  readonly refs?: string;
  readonly report?: string;
  readonly json?: boolean;
  readonly load: readonly string[];
  readonly drop: readonly string[];
  readonly header: Readonly<Record<string, string>>;
}

const EXAMPLES = `
Examples:
  freshet scan granule.nc                                  what is in it, as a table
  freshet scan https://example.org/granule.nc --json       the same for programs, one line a file
  freshet scan granule.nc --refs granule.json              kerchunk references, for xarray, GDAL, zarrita
  freshet scan granule.nc --refs granule.json --load coordinates --drop sst_anomaly,mask

NetCDF classic (CDF-1, CDF-2, CDF-5), NetCDF4 and HDF5 are told apart by their signature, whatever the name.
A variable that cannot be referenced is reported with the reason and does not fail the file.`;

export function configure(command: Command): void {
  command
    .argument("<file...>", "paths, or file:, http: and https: URLs")
    .option("--refs <out.json>", "write kerchunk references (version 1, Zarr v2) of the one file")
    .option("--report <out.json>", "write how each variable of the one file ended: referenced, inlined or refused")
    .option("--json", "print one JSON object a file instead of a table")
    .option(
      "--load <names>",
      "arrays whose values go into the references: names, separated by commas, or `coordinates`",
      words,
      [],
    )
    .option("--drop <names>", "arrays to leave out: names, or paths that begin with /", words, [])
    .option("--header <name:value>", "sent with each HTTP request; may be repeated", header, {})
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(files: readonly string[], options: Options, command: Command): Promise<void> {
  if (files.length > 1 && (options.refs ?? options.report) !== undefined)
    throw new FreshetError("usage", "--refs and --report take one file at a time", { found: `${files.length} files` });
  const trace = command.optsWithGlobals().trace === true || process.env.FRESHET_TRACE === "1";
  for (const file of files) {
    try {
      await scanOne(file, options);
    } catch (error) {
      if (options.report !== undefined) await replaceFile(options.report, [JSON.stringify(refusedReport(error)), "\n"]);
      const code = exitCodeOf(error);
      if (files.length === 1 || code === EXIT.interrupted || code === EXIT.terminated) throw error;
      process.stderr.write(failureText(error, trace));
      process.exitCode = code;
    }
  }
}

async function scanOne(file: string, options: Options): Promise<void> {
  const signal = interruptSignal();
  const started = performance.now();
  let reader: CountingReader | undefined;
  const done = showProgress(file, () => reader);
  let found: Scan;
  try {
    reader = withCounters(await openReader(file, { signal, headers: options.header }));
    const load = options.load.length === 1 && options.load[0] === "coordinates" ? "coordinates" : options.load;
    found = await scan(reader, { load, drop: options.drop, signal });
  } finally {
    done();
    await reader?.close();
  }
  const seconds = (performance.now() - started) / 1000;
  if (options.refs !== undefined) {
    const { pieces, refused } = kerchunkJson(found.root);
    found = refuse(found, refused);
    await replaceFile(options.refs, pieces);
  }
  if (options.report !== undefined) await replaceFile(options.report, [JSON.stringify(scanReport(found), undefined, 1), "\n"]);
  if (options.json === true) process.stdout.write(`${JSON.stringify(scanJson(found, seconds))}\n`);
  else process.stdout.write(`${scanTable(found, seconds).join("\n")}\n`);
}

function refusedReport(error: unknown): unknown {
  const reason = error instanceof Error ? error.message : String(error);
  return { file: { outcome: "refused", reason }, variables: [] };
}

function words(text: string, before: readonly string[]): string[] {
  return [...before, ...text.split(",").filter((word) => word !== "")];
}

function header(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError("It is written `name: value`.");
  return { ...before, [name.toLowerCase()]: value };
}
