import { type Command, InvalidArgumentError } from "commander";
import { readSettings } from "../../worker/settings.ts";
import { withSession } from "../session.ts";
import { showStatus } from "../status/show-status.ts";

interface Options {
  readonly watch?: boolean;
  readonly json?: boolean;
  readonly limit: number;
  readonly home?: string;
}

const EXAMPLES = `
Examples:
  freshet status                               every dataset: how many granules are where, its last version
  freshet status ostia                         its granules, those that changed last first
  freshet status ostia 20170605T120000Z        the whole history of one granule, and what it waits for
  freshet status ostia --watch                 drawn again every second until Ctrl-C

Without a Temporal server it shows what the ledger knows.`;

export function configure(command: Command): void {
  command
    .argument("[dataset]", "name of an applied dataset")
    .argument("[granule]", "key of one of its granules")
    .option("--limit <count>", "granules at most", atLeastOne, 20)
    .option("--watch", "look again every second until Ctrl-C")
    .option("--json", "print one JSON object a dataset, a granule or an event")
    .option("--home <folder>", "where the ledger is (FRESHET_HOME, default .freshet)")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(dataset: string | undefined, granule: string | undefined, options: Options): Promise<void> {
  const { watch = false, json = false, limit } = options;
  await withSession(readSettings(options), (session) => showStatus(session, { dataset, granule, watch, json, limit }));
}

function atLeastOne(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 10_000)
    throw new InvalidArgumentError("A whole number from 1 to 10000.");
  return number;
}
