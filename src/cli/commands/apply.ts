import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import type { Ledger } from "../../ledger/index.ts";
import { applyDatasets } from "../../starters/apply.ts";
import { readSettings } from "../../worker/settings.ts";
import { EXIT } from "../failure.ts";
import { hasLedger } from "../has-ledger.ts";
import { showLine } from "../progress.ts";
import { readDatasetFiles } from "../read-dataset-files.ts";
import { withSession } from "../session.ts";
import { userName } from "../user-name.ts";

interface Options {
  readonly stage?: string;
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
    .option("--stage <name>", "the stage that is meant, for a file with stages")
    .option("--dry-run", "show the difference only")
    .option("--json", "print one JSON object a dataset")
    .option("--home <folder>", "where the ledger is (FRESHET_HOME, default .freshet)")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(files: readonly string[], options: Options): Promise<void> {
  const datasets = await readDatasetFiles(files, options.stage);
  const settings = readSettings(options);
  const dryRun = options.dryRun === true;
  const line = showLine();
  const applied = await withSession(settings, async (session) => {
    const client = await session.client();
    const how = { dryRun, by: userName(), onProgress: line.show };
    if (!dryRun || (await hasLedger(settings.ledgerUrl))) return applyDatasets(client, await session.ledger(), datasets, how);
    return withEmptyLedger((ledger) => applyDatasets(client, ledger, datasets, how));
  }).finally(line.end);
  for (const { name, hash, kind, changes } of applied) {
    if (kind === "refused") process.exitCode = EXIT.failed;
    if (options.json === true) {
      console.log(JSON.stringify({ name, hash, kind, dryRun, changes }));
      continue;
    }
    const verdict = kind === "refused" ? "cannot be applied" : dryRun ? "would change" : "applied";
    console.log(`${name}@${hash.slice(0, 12)}: ${changes.length === 0 ? "nothing to do" : verdict}`);
    for (const change of changes) console.log(`  ${change}`);
  }
}

/** A ledger that is gone afterwards. */
async function withEmptyLedger<T>(work: (ledger: Ledger) => Promise<T>): Promise<T> {
  const { openLedger } = await import("../../ledger/index.ts");
  const folder = await mkdtemp(join(tmpdir(), "freshet-dry-run-"));
  try {
    const ledger = await openLedger(join(folder, "ledger.db"));
    return await work(ledger).finally(() => ledger.close());
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
