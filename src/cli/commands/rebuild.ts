import type { Command } from "commander";
import { FreshetError } from "../../errors/index.ts";
import { readSettings } from "../../worker/settings.ts";
import { appliedDataset, oneProduct } from "../applied-dataset.ts";
import { confirm } from "../confirm.ts";
import { operateDataset } from "../operations/operate-dataset.ts";
import { atLeastOne, type OperatorOptions, withOperatorOptions } from "../operations/options.ts";
import { reportOperation } from "../operations/report-operation.ts";
import { withSession } from "../session.ts";
import { userName } from "../user-name.ts";

interface Options extends OperatorOptions {
  readonly from?: string;
  readonly to?: string;
  readonly limit?: number;
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

const EXAMPLES = `
Examples:
  freshet rebuild ostia                                                   write the product anew from the ledger, then switch
  freshet rebuild ostia --limit 10                                        a trial with the first ten granules; not published
  freshet rebuild ostia --dry-run                                         write and verify all of it; not published
  freshet rebuild ostia --from 2017-06-05 --to 2017-06-07T12:00:00Z       scan these granules again, and write them again

Readers see the old version until the new one is there in full. Times are valid times in UTC, both ends inclusive.`;

export function configure(command: Command): void {
  command
    .argument("<dataset>", "name of an applied dataset")
    .option("--from <instant>", "only granules that are valid from then on")
    .option("--to <instant>", "only granules that are valid until then")
    .option("--limit <count>", "granules at most, the first by valid time; of a whole product a trial", atLeastOne)
    .option("--dry-run", "write and verify it, and leave it unpublished")
    .option("--reason <text>", "why; for those who read the history")
    .option("--yes", "do not ask")
    .addHelpText("after", EXAMPLES)
    .action(run);
  withOperatorOptions(command);
}

async function run(name: string, options: Options): Promise<void> {
  const from = instantOf("--from", options.from);
  const to = instantOf("--to", options.to);
  await withSession(readSettings(options), async (session) => {
    const { dataset } = await appliedDataset(await session.ledger(), name);
    const product = oneProduct(dataset, options.product).name;
    const { limit, reason, dryRun = false, by = userName() } = options;
    const isWhole = from === undefined && to === undefined;
    const isUnseen = dryRun || (isWhole && limit !== undefined);
    if (isWhole) {
      const change = `Readers of ${name}/${product} will see it written anew from the ledger.`;
      await confirm(change, options.yes === true || isUnseen);
    }
    const operation = { kind: "rebuild", product, from, to, limit, dryRun, reason, by } as const;
    await reportOperation(dataset, await operateDataset(await session.client(), name, operation), options.json === true);
  });
}

/** @throws FreshetError `usage` for what is no instant. */
function instantOf(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  // Without a zone Date would take the machine's.
  const isZoned = /(z|[+-]\d\d:?\d\d)$/i.test(text) || /^\d{4}-\d\d-\d\d$/.test(text);
  const ms = Date.parse(isZoned ? text : `${text}Z`);
  if (Number.isFinite(ms)) return new Date(ms).toISOString();
  throw new FreshetError("usage", `${option} takes an instant`, { found: text, expected: "2017-06-05 or 2017-06-05T12:00:00Z" });
}
