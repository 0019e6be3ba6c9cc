// Writes docs/dataset.schema.json, by which editors check dataset files (yaml-language-server). `--check` only compares.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { datasetFileJsonSchema } from "../src/dataset/index.ts";

const path = fileURLToPath(new URL("../docs/dataset.schema.json", import.meta.url));
const text = datasetFileJsonSchema();

if (process.argv.includes("--check")) {
  const isCurrent = (await readFile(path, "utf8").catch(() => "")) === text;
  if (!isCurrent) process.stderr.write(`${path} is out of date: node scripts/json-schema.ts\n`);
  process.exitCode = isCurrent ? 0 : 1;
} else {
  await writeFile(path, text);
}
