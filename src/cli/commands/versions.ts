import type { Command } from "commander";
import type { Dataset } from "../../dataset/index.ts";
import { isFreshetError } from "../../errors/index.ts";
import type { Ledger } from "../../ledger/index.ts";
import { readSettings } from "../../worker/settings.ts";
import { appliedDataset, namedProducts, oneProduct } from "../applied-dataset.ts";
import { atLeastOne } from "../operations/options.ts";
import { paint } from "../paint.ts";
import { withSession } from "../session.ts";
import { instant } from "../status/report.ts";
import { count, table } from "../table.ts";
import { findVersion } from "../versions/find-version.ts";
import { type ListedVersion, listVersions } from "../versions/list-versions.ts";
import { openingLines } from "../versions/opening-lines.ts";
import { showVersion } from "../versions/show-version.ts";

interface Options {
  readonly limit: number;
  readonly all?: boolean;
  readonly product?: string;
  readonly json?: boolean;
  readonly home?: string;
}

const EXAMPLES = `
Examples:
  freshet versions ostia               the newest versions of every product, and how to open them
  freshet versions ostia --all         every version, and candidates that nobody has published
  freshet versions ostia 3             one version: its granules by valid time, its gaps, how to open it
  freshet versions ostia --json        the same for programs, one line a version

Marks: current (what readers see), held (until freshet release), expired (cannot be opened any more), candidate.
Stale granules are those whose bytes are not where the version points any more, as far as the ledger knows; freshet verify looks.`;

export function configure(command: Command): void {
  command
    .argument("<dataset>", "name of an applied dataset")
    .argument("[version]", "number or id of one version")
    .option("--limit <count>", "versions (or granules of one version) at most", atLeastOne, 20)
    .option("--all", "no limit, and candidates too")
    .option("--product <name>", "only this product")
    .option("--json", "print one JSON object a version")
    .option("--home <folder>", "where the ledger is (FRESHET_HOME, default .freshet)")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(name: string, version: string | undefined, options: Options): Promise<void> {
  await withSession(readSettings(options), async (session) => {
    const ledger = await session.ledger();
    const { dataset } = await appliedDataset(ledger, name);
    if (version === undefined) return list(ledger, dataset, options);
    const product = oneProduct(dataset, options.product);
    const limit = options.all === true ? Number.POSITIVE_INFINITY : options.limit;
    // A candidate has an id and no number: the ledger does not know it, the store may.
    const id = await findVersion(ledger, dataset, product, version).then(
      ({ snapshot }) => snapshot,
      (error: unknown) => {
        if (isFreshetError(error, "usage") && /^[0-9A-Z]{20}$/.test(version)) return version;
        throw error;
      },
    );
    await showVersion(ledger, dataset, product, id, { limit, json: options.json === true });
  });
}

async function list(ledger: Ledger, dataset: Dataset, options: Options): Promise<void> {
  const candidates = options.all === true;
  const limit = candidates ? Number.MAX_SAFE_INTEGER : options.limit;
  for (const product of namedProducts(dataset, options.product)) {
    const versions = await listVersions(ledger, dataset, product, { limit, candidates });
    if (options.json === true) {
      for (const version of versions)
        console.log(JSON.stringify({ dataset: dataset.name, product: product.name, store: product.store, ...version }));
      continue;
    }
    console.log(`${dataset.name}/${product.name}: ${count(versions.length, "version")} in ${product.store}`);
    if (versions.length === 0) continue;
    for (const line of table(COLUMNS, versions.map(row))) console.log(line);
    for (const line of await openingLines(dataset, product)) console.log(line);
  }
}

const COLUMNS = [
  { title: "#", align: "right" },
  { title: "version" },
  { title: "kind" },
  { title: "written" },
  { title: "granules", align: "right" },
  { title: "stale", align: "right" },
  { title: "" },
  { title: "what", cut: true },
] as const;

function row({ sequence, id, kind, writtenMs, granules, stale, marks, what }: ListedVersion): string[] {
  const staleText = stale === undefined ? "" : stale === 0 ? "0" : paint("bad", `${stale}`);
  const numbers = [`${granules ?? "?"}`, staleText];
  return [`${sequence ?? "?"}`, id, kind, instant(writtenMs), ...numbers, marks.join(", "), what];
}
