import type { Command } from "commander";
import type { Publication } from "../../ledger/index.ts";
import { readSettings } from "../../worker/settings.ts";
import { appliedDataset, oneProduct } from "../applied-dataset.ts";
import { confirm } from "../confirm.ts";
import { operateDataset } from "../operations/operate-dataset.ts";
import { type OperatorOptions, withOperatorOptions } from "../operations/options.ts";
import { reportOperation } from "../operations/report-operation.ts";
import { withSession } from "../session.ts";
import { count } from "../table.ts";
import { userName } from "../user-name.ts";
import { findVersion } from "../versions/find-version.ts";

interface Options extends OperatorOptions {
  readonly reason: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

const EXAMPLES = `
Examples:
  freshet rollback ostia 3 --reason "the agency's file of 6 June was wrong"
  freshet rollback ostia 3 --reason "to look at it" --dry-run       write and verify it, and leave it unpublished
  freshet rollback ostia WZ3VXQK1MS6QJ6VZ0EJ0 --reason "…" --yes    by the version's id, without a question

Readers see the earlier version again, as a new one: nothing is taken away. The product is held there, and nothing is published
until it is released (freshet release). freshet versions DATASET lists the versions.`;

export function configure(command: Command): void {
  command
    .argument("<dataset>", "name of an applied dataset")
    .argument("<version>", "number or id of the version to show again")
    .requiredOption("--reason <text>", "why; goes into the version's message")
    .option("--dry-run", "write and verify it, and leave it unpublished")
    .option("--yes", "do not ask")
    .addHelpText("after", EXAMPLES)
    .action(run);
  withOperatorOptions(command);
}

async function run(name: string, version: string, options: Options): Promise<void> {
  await withSession(readSettings(options), async (session) => {
    const ledger = await session.ledger();
    const { dataset } = await appliedDataset(ledger, name);
    const product = oneProduct(dataset, options.product);
    const target = await findVersion(ledger, dataset, product, version);
    const [now] = await ledger.publications(name, product.name, 1);
    const dryRun = options.dryRun === true;
    const shown = (which: Publication): string => `#${which.sequence} (${count(which.granules, "granule")})`;
    const change = `Readers of ${name}/${product.name} will see ${shown(target)} again instead of ${shown(now ?? target)}, until it is released.`;
    await confirm(change, options.yes === true || dryRun);
    const results = await operateDataset(await session.client(), name, {
      kind: "rollback",
      to: target.sequence,
      product: product.name,
      reason: options.reason,
      by: options.by ?? userName(),
      dryRun,
    });
    await reportOperation(dataset, results, options.json === true);
    if (!dryRun && options.json !== true) console.log(`  held until: freshet release ${name} --reason TEXT`);
  });
}
