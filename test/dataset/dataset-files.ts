import type { DatasetFile } from "../../src/dataset/index.ts";
import { parseDatasetFile } from "../../src/dataset/index.ts";

/** A good file with the smallest content, in which single lines can be exchanged. */
export function aDatasetFile(
  lines: {
    readonly source?: string;
    readonly name?: string;
    readonly from?: string;
    readonly match?: string;
    readonly timeseries?: string;
    readonly product?: string;
    readonly more?: string;
  } = {},
): string {
  const timeseries = lines.timeseries ?? "{ calendar: { every: 1d }, store: ../stores/ostia }";
  return [
    "sources:",
    `  agency: { ${lines.source ?? "at: https://agency.example/data"} }`,
    "---",
    `name: ${lines.name ?? "ostia"}`,
    `from: ${lines.from ?? "{ source: agency }"}`,
    `match: ${lines.match ?? '"{valid:%Y%m%d}.nc"'}`,
    "products:",
    `  - ${lines.product ?? `timeseries: ${timeseries}`}`,
    lines.more ?? "",
  ].join("\n");
}

/** Lines of `aDatasetFile` that tests name. */
export const LINE = { source: 2, dataset: 4, name: 4, from: 5, match: 6, products: 7, product: 8, more: 9 } as const;

/** Reads a text as the file /data/sets/test.yaml. */
export function parse(text: string): DatasetFile {
  return parseDatasetFile(text, { file: "/data/sets/test.yaml" });
}
