import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Dataset, parseDatasetFile } from "../../src/dataset/index.ts";

/**
 * The datasets of an example file as it stands, but for where its sources are, where its stores and forms go, what references say, and what expires.
 * @param change what else is changed in its text.
 */
export async function localExample(
  file: string,
  {
    at,
    home,
    change = (text) => text,
  }: { readonly at: string; readonly home: string; readonly change?: (text: string) => string },
): Promise<readonly Dataset[]> {
  const text = await readFile(fileURLToPath(new URL(`../../datasets/${file}`, import.meta.url)), "utf8");
  const local = change(text)
    .replace(/at: (s3|https):\S+/g, `at: "${at}"`)
    .replace(/^ +(s3|sqs|credentials|allow): .*\n/gm, "")
    .replace(/^ +keep: .*\n/gm, "")
    .replace(/^ +map:(?: .*)?\n(?: +"s3:.*\n)*/gm, "")
    .replace(/coalesce: \d+s/g, "coalesce: 50ms")
    .replaceAll("../.freshet/", `${home}/`);
  assert.doesNotMatch(local, /s3:\/\/|sqs:/, "nothing leads away from here");
  return parseDatasetFile(local, { file: join(home, file) }).datasets;
}
