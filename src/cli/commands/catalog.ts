import { type Command, Option } from "commander";
import { FreshetError } from "../../errors/index.ts";
import { catalogEntries } from "../../publication/index.ts";
import { readSettings } from "../../worker/settings.ts";
import { appliedDataset, oneProduct } from "../applied-dataset.ts";
import { withSession } from "../session.ts";

interface Options {
  readonly show: "collection" | "item" | "xreds";
  readonly product?: string;
  readonly home?: string;
}

const EXAMPLES = `
Examples:
  freshet catalog ostia                      the STAC collection of the version that is published
  freshet catalog ostia --show item          its item: dimensions, variables, spans, checksums, the code to open it
  freshet catalog ostia --show xreds         its entries in a dataset map of xreds

It prints JSON, whether the dataset file has a catalog or not; the dry run of one. Where it has one, the worker keeps the files up:
freshet status says which version each shows.`;

export function configure(command: Command): void {
  command
    .argument("<dataset>", "name of an applied dataset")
    .addOption(new Option("--show <what>", "what is printed").choices(["collection", "item", "xreds"]).default("collection"))
    .option("--product <name>", "this product, where there are several")
    .option("--home <folder>", "where the ledger is (FRESHET_HOME, default .freshet)")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(name: string, options: Options): Promise<void> {
  await withSession(readSettings(options), async (session) => {
    const { dataset } = await appliedDataset(await session.ledger(), name);
    const product = oneProduct(dataset, options.product);
    const entries = await catalogEntries(dataset, product);
    if (entries === undefined) throw new FreshetError("usage", "nothing is published yet", { found: `${name}/${product.name}` });
    console.log(JSON.stringify(entries[options.show], undefined, 2));
  });
}
