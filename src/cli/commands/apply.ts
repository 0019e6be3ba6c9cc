import type { Command } from "commander";
import { applyDatasets } from "../../starters/apply.ts";
import { readSettings } from "../../worker/settings.ts";
import { readDatasetFiles } from "../read-dataset-files.ts";
import { withSession } from "../session.ts";

interface Options {
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly home?: string;
}

const EXAMPLES = `
Examples:
  freshet apply datasets/ostia.yaml             keep the file and start (or configure) its dataset workflow
  freshet apply datasets/*.yaml --dry-run       show what would change, and change nothing

Applying the same file twice changes nothing.`;

export function configure(command: Command): void {
  command
    .argument("<file...>", "dataset files (docs/dataset-file.md)")
    .option("--dry-run", "show the difference only")
    .option("--json", "print one JSON object a dataset")
    .option("--home <folder>", "where the ledger is (FRESHET_HOME, default .freshet)")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(files: readonly string[], options: Options): Promise<void> {
  const datasets = await readDatasetFiles(files);
  const dryRun = options.dryRun === true;
  const applied = await withSession(readSettings(options), async (session) =>
    applyDatasets(await session.client(), await session.ledger(), datasets, { dryRun }),
  );
  for (const { name, hash, changes } of applied) {
    if (options.json === true) {
      console.log(JSON.stringify({ name, hash, dryRun, changes }));
      continue;
    }
    console.log(`${name}@${hash.slice(0, 12)}: ${changes.length === 0 ? "nothing to do" : dryRun ? "would change" : "applied"}`);
    for (const change of changes) console.log(`  ${change}`);
  }
}
