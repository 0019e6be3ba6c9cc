import { stat } from "node:fs/promises";
import { type Command, InvalidArgumentError } from "commander";
import { FreshetError, isFreshetError } from "../../errors/index.ts";
import { type Explanation, explain, FilesBeside, type Scan, scan } from "../../scan/index.ts";
import { type CountingReader, makeFolder, openReader, withCounters } from "../../storage/index.ts";
import { kerchunkJson } from "../../writers/kerchunk-json/index.ts";
import { EXIT, exitCodeOf, failureText } from "../failure.ts";
import { interruptSignal } from "../interrupt.ts";
import { replaceFile } from "../output-file.ts";
import { showProgress } from "../progress.ts";
import { addS3Options, type S3Options, s3ConnectionFor } from "../s3-options.ts";
import { filesToScan, outputNames, type ScanFile } from "../scan-files.ts";
import { explanationTable, refuse, scanJson, scanReport, scanTable } from "../scan-report.ts";
import { count } from "../table.ts";

interface Options extends S3Options {
  readonly refs?: string;
  readonly report?: string;
  readonly explain?: string;
  readonly json?: boolean;
  readonly load: readonly string[];
  readonly drop: readonly string[];
  readonly allow: readonly string[];
  readonly header: Readonly<Record<string, string>>;
}

const EXAMPLES = `
Examples:
  freshet scan granule.nc                                  what is in it, as a table
  freshet scan folder '2026*/**/*.nc' --json               all files of a folder and of a pattern, one line of JSON each
  freshet scan https://example.org/granule.nc              over the network: only what is needed is read
  freshet scan s3://bucket/granule.nc --anonymous          the same in a public bucket
  freshet scan granule.nc --refs granule.json              kerchunk references, for xarray, GDAL, zarrita
  freshet scan folder --refs references/                   the same for each file, references/granule.nc.json
  freshet scan granule.nc --refs granule.json --load coordinates --drop sst_anomaly,mask
  freshet scan granule.nc --explain sst                    which structures of the file say so, at which offsets

NetCDF classic (CDF-1, CDF-2, CDF-5), NetCDF4 and HDF5 are told apart by their signature, whatever the name; other files of a folder
are passed over. A variable that cannot be referenced is reported with the reason and does not fail the file. Other files that a file
names (external storage, virtual datasets, external links) are read where they are in its own folder, or under a prefix that --allow names.`;

export function configure(command: Command): void {
  addS3Options(command)
    .argument("<file...>", "paths, folders, patterns, or file:, http:, https: and s3: URLs")
    .option("--refs <out.json>", "write kerchunk references (version 1, Zarr v2); of several files, into a folder")
    .option(
      "--report <out.json>",
      "write how each variable ended: referenced, inlined or refused; of several files, into a folder",
    )
    .option("--explain <variable>", "show which structures of the file led to the outcome of a variable")
    .option("--json", "print one JSON object a file instead of a table")
    .option(
      "--load <names>",
      "arrays whose values go into the references: names, separated by commas, or `coordinates`",
      words,
      [],
    )
    .option("--drop <names>", "arrays to leave out: names, or paths that begin with /", words, [])
    .option("--allow <prefix>", "other files and redirects to other hosts may lead there; may be repeated", prefix, [])
    .option("--header <name:value>", "sent with each HTTP request; may be repeated", header, {})
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(args: readonly string[], options: Options, command: Command): Promise<void> {
  const files = await filesToScan(args);
  const outputs = await outputsOf(files, options);
  const trace = command.optsWithGlobals().trace === true || process.env.FRESHET_TRACE === "1";
  const passedOver: string[] = [];
  for (const [index, { file, isFromFolder }] of files.entries()) {
    const { refs, report } = outputs(file);
    try {
      await scanOne(file, { ...options, refs, report }, files.length === 1 ? file : `${index + 1} of ${files.length}, ${file}`);
    } catch (error) {
      if (isFromFolder && isFreshetError(error, "unknown-format")) {
        passedOver.push(file);
        continue;
      }
      if (report !== undefined) await replaceFile(report, [JSON.stringify(refusedReport(error)), "\n"]);
      const code = exitCodeOf(error);
      if (files.length === 1 || code === EXIT.interrupted || code === EXIT.terminated) throw error;
      process.stderr.write(failureText(error, trace));
      process.exitCode = code;
    }
  }
  if (passedOver.length > 0) process.stderr.write(`${passedOverLine(passedOver)}\n`);
}

const NAMED = 3;

function passedOverLine(files: readonly string[]): string {
  const more = files.length > NAMED ? ", …" : "";
  return `${count(files.length, "file")} passed over, neither HDF5 nor NetCDF: ${files.slice(0, NAMED).join(", ")}${more}`;
}

/** Where the output of each file goes. @throws FreshetError `usage` where several files are to go into one. */
async function outputsOf(files: readonly ScanFile[], options: Options): Promise<(file: string) => Outputs> {
  const [refs, report] = await Promise.all([options.refs, options.report].map((path) => outputOf(files, path)));
  return (file) => ({ refs: refs?.(file), report: report?.(file) });
}

interface Outputs {
  readonly refs: string | undefined;
  readonly report: string | undefined;
}

async function outputOf(files: readonly ScanFile[], path: string | undefined): Promise<((file: string) => string) | undefined> {
  if (path === undefined) return undefined;
  const isFolder = path.endsWith("/") || (await stat(path).catch(() => undefined))?.isDirectory() === true;
  if (isFolder) {
    const names = outputNames(
      files.map(({ file }) => file),
      path,
    );
    await makeFolder(path).catch((cause: Error) => {
      throw new FreshetError("storage", "the folder cannot be made", { found: cause.message, path, cause });
    });
    return (file) => names.get(file) as string;
  }
  if (files.length > 1)
    throw new FreshetError("usage", "--refs and --report of several files are written into a folder", {
      found: path,
      expected: `an existing folder, or ${path}/`,
    });
  return () => path;
}

type OneFile = Omit<Options, "refs" | "report"> & Outputs;

async function scanOne(file: string, options: OneFile, progressName: string): Promise<void> {
  const signal = interruptSignal();
  const started = performance.now();
  let reader: CountingReader | undefined;
  let beside: FilesBeside | undefined;
  const done = showProgress(progressName, () => reader);
  const mayRedirectTo = (url: URL): boolean => options.allow.some((allowed) => url.href.startsWith(allowed));
  const s3 = s3ConnectionFor(options);
  const how = { signal, s3, headers: options.header, mayRedirectTo };
  let found: Scan;
  let explanation: Explanation | undefined;
  try {
    reader = withCounters(await openReader(file, how));
    const load = options.load.length === 1 && options.load[0] === "coordinates" ? "coordinates" : options.load;
    // Its headers are meant for the file's own server.
    beside = new FilesBeside(reader.uri, [new URL("./", reader.uri).href, ...options.allow], { signal, s3, mayRedirectTo });
    found = await scan(reader, { load, drop: options.drop, openBeside: beside.open, signal });
    if (options.explain !== undefined) explanation = await explain(reader, found, options.explain, signal);
  } finally {
    done();
    await Promise.all([reader?.close(), beside?.close()]);
  }
  const seconds = (performance.now() - started) / 1000;
  if (options.refs !== undefined) {
    const { pieces, refused } = kerchunkJson(found.root);
    found = refuse(found, refused);
    await replaceFile(options.refs, pieces);
  }
  if (options.report !== undefined) await replaceFile(options.report, [JSON.stringify(scanReport(found), undefined, 1), "\n"]);
  const lines =
    options.json === true
      ? [JSON.stringify(scanJson(found, seconds, explanation))]
      : explanation === undefined
        ? scanTable(found, seconds)
        : explanationTable(found.uri, explanation);
  process.stdout.write(`${lines.join("\n")}\n`);
}

function refusedReport(error: unknown): unknown {
  const reason = error instanceof Error ? error.message : String(error);
  return { file: { outcome: "refused", reason }, variables: [] };
}

function words(text: string, before: readonly string[]): string[] {
  return [...before, ...text.split(",").filter((word) => word !== "")];
}

function prefix(text: string, before: readonly string[]): string[] {
  if (!URL.canParse(text) || !text.endsWith("/"))
    throw new InvalidArgumentError("It is a URL with a slash at its end: https://data.example.org/public/.");
  return [...before, text];
}

function header(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError("It is written `name: value`.");
  return { ...before, [name.toLowerCase()]: value };
}
