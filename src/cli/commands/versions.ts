import type { Command } from "commander";
import { type Dataset, datasetOfText } from "../../dataset/index.ts";
import { FreshetError } from "../../errors/index.ts";
import { lookAtProduct } from "../../publication/index.ts";
import { readSettings } from "../../worker/settings.ts";
import { principalArray } from "../principal-array.ts";
import { readingLines } from "../reading-lines.ts";
import { withSession } from "../session.ts";
import { count, table } from "../table.ts";

interface Options {
  readonly limit: number;
  readonly json?: boolean;
  readonly home?: string;
}

const EXAMPLES = `
Examples:
  freshet versions ostia               the newest versions of every product, and how to open them
  freshet versions ostia --json        the same for programs, one line a version`;

export function configure(command: Command): void {
  command
    .argument("<dataset>", "name of an applied dataset")
    .option("--limit <count>", "versions at most", Number, 20)
    .option("--json", "print one JSON object a version")
    .option("--home <folder>", "where the ledger is (FRESHET_HOME, default .freshet)")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(name: string, options: Options): Promise<void> {
  await withSession(readSettings(options), async (session) => {
    const ledger = await session.ledger();
    const stored = await ledger.currentDataset(name);
    if (stored === undefined) {
      const known = (await ledger.datasets()).map((dataset) => dataset.name).join(", ");
      throw new FreshetError("usage", "no such dataset is applied", {
        found: name,
        expected: known === "" ? "one that is applied (none is)" : known,
      });
    }
    await showVersions(datasetOfText(stored.text), options);
  });
}

async function showVersions(dataset: Dataset, options: Options): Promise<void> {
  for (const product of dataset.products) {
    const state = await lookAtProduct(dataset, product);
    const versions = (await state?.store.versions(options.limit)) ?? [];
    if (options.json === true) {
      for (const version of versions)
        console.log(JSON.stringify({ dataset: dataset.name, product: product.name, store: product.store, ...version }));
      continue;
    }
    console.log(`${dataset.name}/${product.name}: ${count(versions.length, "version")} in ${product.store}`);
    if (versions.length === 0) continue;
    const rows = versions.map(({ id, writtenMs, message }) => [
      id,
      new Date(writtenMs).toISOString(),
      message.split("\n")[0] as string,
    ]);
    for (const line of table([{ title: "version" }, { title: "written" }, { title: "what" }], rows)) console.log(line);
    if (state === undefined) continue;
    const { store, prefixes } = state;
    const array = await principalArray(state, product.dimension);
    if (array === undefined) continue;
    const { xarray, zarrita } = readingLines({ folder: store.folder, prefixes, array });
    console.log(
      `\n# in xarray, from the project's folder (docs/reading.md)\n${xarray}\n\n# in zarrita, from the project's folder\n${zarrita}\n`,
    );
  }
}
