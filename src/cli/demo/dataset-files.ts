import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Document, parseAllDocuments } from "yaml";
import type { Agency } from "./agency.ts";
import { type DatasetName, DEMO_DATASETS } from "./granules.ts";

/**
 * Writes the demo's dataset files: the examples of datasets/, with the agency as their source, everything that is kept in
 * the demo's folder, and short waits. Our own copies of the granules (`mirror`) keep the datasets readable when the
 * agency is gone.
 * @returns their paths.
 */
export async function writeDatasetFiles(folder: string, agency: Agency): Promise<string[]> {
  const paths: string[] = [];
  for (const { name } of DEMO_DATASETS) {
    const example = await readFile(fileURLToPath(new URL(`../../../datasets/${name}.yaml`, import.meta.url)), "utf8");
    const path = join(folder, `${name}.yaml`);
    await writeFile(path, demoFile(example, name, agency.at(name)));
    paths.push(path);
  }
  return paths;
}

function demoFile(example: string, name: DatasetName, at: string): string {
  const [sources, dataset] = parseAllDocuments(example) as Document[];
  if (sources === undefined || dataset === undefined)
    throw new Error(`datasets/${name}.yaml has not the two documents of an example`);
  sources.commentBefore = ` Made by freshet demo of datasets/${name}.yaml.`;
  sources.set("sources", { agency: { at, mirror: "./mirror" } });
  dataset.setIn(["from", "source"], "agency");
  dataset.setIn(["products", 0, "timeseries", "store"], `./stores/${name}`);
  // A server's shortest timer takes about a second.
  dataset.setIn(["publish", "coalesce"], "0s");
  dataset.setIn(["await", "every"], "500ms");
  return `${sources}---\n${dataset}`;
}
