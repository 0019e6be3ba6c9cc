import { createInterface } from "node:readline";
import type { Command } from "commander";
import {
  compileNames,
  type Dataset,
  datesOf,
  fieldsAt,
  fromReal,
  granuleTimeOf,
  isOn,
  type Product,
} from "../../dataset/index.ts";
import type { NameFields } from "../../ledger/index.ts";
import { ForecastCells } from "../../products/index.ts";
import { EXIT } from "../failure.ts";
import { readDatasetFiles } from "../read-dataset-files.ts";
import { table } from "../table.ts";

interface Options {
  readonly stage?: string;
  readonly json?: boolean;
}

/** What a dataset makes of a name. */
interface Tried {
  readonly name: string;
  readonly dataset?: string;
  readonly key?: string;
  /** Typed fields of the name: instants and durations in milliseconds. */
  readonly fields?: Readonly<Record<string, string | number>>;
  /** When the granule is valid, by its name; ISO 8601. */
  readonly valid?: string;
  /** What is in the way of its publication, as far as a name can tell. */
  readonly trouble?: string;
}

const EXAMPLES = `
Examples:
  freshet dataset try ostia.yaml 20170605120000-UKMO-….nc      which granule of which dataset is that?
  freshet dataset try nos.yaml s3://noaa-nos-ofs-pds/dbofs.20240901/dbofs.t00z.20240901.fields.f001.nc
  ls /data | freshet dataset try ostia.yaml -                  names from standard input, one a line

A name is a uri, or what follows the source's prefix. Nothing is opened. Exit code 1: a name that no dataset knows.`;

export function configure(command: Command): void {
  command
    .command("try")
    .description("what the name grammars of a dataset file make of names")
    .argument("<file>", "dataset file (docs/dataset-file.md)")
    .argument("<name...>", "uris or names; -: from standard input, one a line")
    .option("--stage <name>", "the stage that is meant, for a file with stages")
    .option("--json", "print one JSON object a name and dataset")
    .addHelpText("after", EXAMPLES)
    .action(tryNames);
}

async function tryNames(file: string, given: readonly string[], options: Options): Promise<void> {
  const datasets = await readDatasetFiles([file], options.stage);
  const names = given.includes("-") ? createInterface({ input: process.stdin }) : given;
  const tried: Tried[] = [];
  for await (const name of names) {
    if (name === "") continue;
    const found = datasets.flatMap((dataset) => triedBy(dataset, name));
    if (found.length === 0) process.exitCode = EXIT.failed;
    const rows = found.length === 0 ? [{ name, trouble: "no dataset of the file knows this name" }] : found;
    if (options.json === true) for (const row of rows) console.log(JSON.stringify(row));
    else tried.push(...rows);
  }
  if (options.json === true) return;
  const columns = [{ title: "name", cut: true }, { title: "dataset" }, { title: "granule" }, { title: "valid" }, { title: "" }];
  const cells = tried.map(({ name, dataset, key, valid, trouble }) => [
    name,
    dataset ?? "",
    key ?? "",
    valid ?? "",
    trouble ?? "",
  ]);
  for (const line of table(columns, cells)) console.log(line);
}

function hasPlace(product: Product, { run, kind }: NameFields, validMs: number): boolean {
  if (product.kind === "collection") return true;
  if (product.kind === "timeseries") return isOn(product.calendar, fromReal(datesOf(product), validMs) ?? Number.NaN);
  return typeof run === "number" && typeof ForecastCells.of(product.runs).placeOf({ runMs: run, kind }, [validMs]) === "number";
}

function triedBy(dataset: Dataset, name: string): Tried[] {
  const names = compileNames(dataset.match);
  const fields = name.includes("://") ? fieldsAt(dataset.source, names, name) : names.match(name);
  if (fields === undefined) return [];
  const validMs = granuleTimeOf(dataset, fields);
  const products = dataset.products.filter((product) => validMs !== undefined && !hasPlace(product, fields, validMs));
  return [
    {
      name,
      dataset: dataset.name,
      key: names.key(fields),
      fields,
      ...(validMs === undefined ? {} : { valid: new Date(validMs).toISOString().replace(".000Z", "Z") }),
      ...(products.length === 0
        ? {}
        : { trouble: `by its name without a place in ${products.map((product) => product.name).join(", ")}` }),
    },
  ];
}
