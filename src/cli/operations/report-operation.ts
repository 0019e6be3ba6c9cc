import type { OperationResult } from "../../contract/index.ts";
import type { Dataset } from "../../dataset/index.ts";
import { count } from "../table.ts";
import { openingLines } from "../versions/opening-lines.ts";

/** Prints what came of an operation; of a version that is not published also how to open it. */
export async function reportOperation(dataset: Dataset, results: readonly OperationResult[], asJson: boolean): Promise<void> {
  for (const result of results) {
    if (asJson) {
      console.log(JSON.stringify({ dataset: dataset.name, ...result }));
      continue;
    }
    console.log(`${dataset.name}/${result.product}: ${sentence(result)}`);
    for (const note of result.notes) console.log(`  ${note}`);
    const product = dataset.products.find(({ name }) => name === result.product);
    if (result.kind === "upkeep" || result.isPublished || result.version === undefined || product === undefined) continue;
    for (const line of await openingLines(dataset, product, result.version)) console.log(line);
  }
}

function sentence({ kind, version, sequence, granules, changed, isPublished }: OperationResult): string {
  if (kind === "upkeep") return `${count(changed, "object")} that nothing needs`;
  if (version === undefined) return "nothing was written";
  const size = `${count(granules, "granule")}, ${changed} written`;
  if (isPublished) return `#${sequence} is published, a ${kind}: ${size}, version ${version}`;
  return `${kind} written and verified, not published: ${size}, version ${version}`;
}
