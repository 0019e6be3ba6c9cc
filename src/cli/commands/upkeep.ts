import type { Command } from "commander";
import { readSettings } from "../../worker/settings.ts";
import { appliedDataset, namedProducts } from "../applied-dataset.ts";
import { operateDataset } from "../operations/operate-dataset.ts";
import { type OperatorOptions, withOperatorOptions } from "../operations/options.ts";
import { reportOperation } from "../operations/report-operation.ts";
import { withSession } from "../session.ts";
import { userName } from "../user-name.ts";

const EXAMPLES = `
Examples:
  freshet upkeep ostia --dry-run       what would be removed from its stores, and nothing is
  freshet upkeep ostia                 now, and not only when its turn comes

Which versions stay is said under maintenance.keep in the dataset file; without it all do.`;

export function configure(command: Command): void {
  command
    .argument("<dataset>", "name of an applied dataset")
    .option("--dry-run", "look only")
    .addHelpText("after", EXAMPLES)
    .action(run);
  withOperatorOptions(command);
}

async function run(name: string, options: OperatorOptions & { readonly dryRun?: boolean }): Promise<void> {
  await withSession(readSettings(options), async (session) => {
    const { dataset } = await appliedDataset(await session.ledger(), name);
    namedProducts(dataset, options.product);
    const { product, dryRun = false, by = userName() } = options;
    const results = await operateDataset(await session.client(), name, { kind: "upkeep", product, dryRun, by });
    await reportOperation(dataset, results, options.json === true);
  });
}
