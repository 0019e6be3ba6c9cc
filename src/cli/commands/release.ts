import type { Command } from "commander";
import { readSettings } from "../../worker/settings.ts";
import { appliedDataset, oneProduct } from "../applied-dataset.ts";
import { operateDataset } from "../operations/operate-dataset.ts";
import { type OperatorOptions, withOperatorOptions } from "../operations/options.ts";
import { reportOperation } from "../operations/report-operation.ts";
import { withSession } from "../session.ts";
import { userName } from "../user-name.ts";

const EXAMPLES = `
Examples:
  freshet release ostia --reason "the agency has corrected its file"

Ends what freshet rollback began: the product is again what the ledger says, with everything that has come meanwhile.`;

export function configure(command: Command): void {
  command
    .argument("<dataset>", "name of an applied dataset")
    .requiredOption("--reason <text>", "why; goes into the version's message")
    .addHelpText("after", EXAMPLES)
    .action(run);
  withOperatorOptions(command);
}

async function run(name: string, options: OperatorOptions & { readonly reason: string }): Promise<void> {
  await withSession(readSettings(options), async (session) => {
    const { dataset } = await appliedDataset(await session.ledger(), name);
    const product = oneProduct(dataset, options.product).name;
    const { reason, by = userName() } = options;
    const results = await operateDataset(await session.client(), name, { kind: "release", product, reason, by });
    await reportOperation(dataset, results, options.json === true);
  });
}
