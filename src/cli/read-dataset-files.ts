import { readFile } from "node:fs/promises";
import { type Dataset, parseDatasetFile } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";

/**
 * The datasets of several files. A name that stands in two of them is refused.
 * @param stage the stage that is meant, for files that have stages
 * @throws FreshetError `dataset-file` with a line for each thing that is wrong; `usage` for a file that cannot be read, or a stage that it does not have.
 */
export async function readDatasetFiles(paths: readonly string[], stage?: string): Promise<Dataset[]> {
  const byName = new Map<string, { readonly dataset: Dataset; readonly path: string }>();
  for (const path of paths) {
    const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
      throw new FreshetError("usage", "the dataset file cannot be read", { found: cause.message, path, cause });
    });
    for (const dataset of parseDatasetFile(text, { file: path, stage }).datasets) {
      const other = byName.get(dataset.name);
      if (other !== undefined) {
        throw new FreshetError("dataset-file", "two files declare the same dataset", {
          found: `${dataset.name} in ${other.path} and ${path}`,
        });
      }
      byName.set(dataset.name, { dataset, path });
    }
  }
  return [...byName.values()].map(({ dataset }) => dataset);
}
