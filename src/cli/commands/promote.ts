import type { Command } from "commander";
import type { Dataset } from "../../dataset/index.ts";
import { FreshetError } from "../../errors/index.ts";
import { applyDatasets } from "../../starters/apply.ts";
import { readSettings } from "../../worker/settings.ts";
import { EXIT } from "../failure.ts";
import { interruptSignal } from "../interrupt.ts";
import { atLeastOne } from "../operations/options.ts";
import { paint } from "../paint.ts";
import { showLine } from "../progress.ts";
import { checkReadiness, type Readiness } from "../promote/check-readiness.ts";
import { type Difference, differences } from "../promote/differences.ts";
import { readDatasetFiles } from "../read-dataset-files.ts";
import { withSession } from "../session.ts";
import { userName } from "../user-name.ts";

interface Options {
  readonly from: string;
  readonly to: string;
  readonly chunks: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly home?: string;
}

const NEWEST_SOURCES = 50;
const EXAMPLES = `
Examples:
  freshet promote ostia.yaml --from dev --to prod --dry-run     what differs, whether dev is fit, what would change
  freshet promote ostia.yaml --from dev --to prod               and apply it at prod

Fit is what is applied as the file says now, runs without trouble, has a version of each product, and is verified. Nothing is applied
where one dataset is not. The stages are of one installation: its ledger and its Temporal namespace. See docs/stages.md.`;

export function configure(command: Command): void {
  command
    .argument("<file>", "dataset file with stages (docs/stages.md)")
    .requiredOption("--from <stage>", "the stage that it runs at")
    .requiredOption("--to <stage>", "the stage that it is to run at")
    .option("--chunks <count>", "chunks of each product to compare with the sources", atLeastOne, 8)
    .option("--dry-run", "look only")
    .option("--json", "print one JSON object a dataset")
    .option("--home <folder>", "where the ledger and the scans are (FRESHET_HOME, default .freshet)")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(file: string, options: Options): Promise<void> {
  if (options.from === options.to) throw new FreshetError("usage", "both stages are the same", { found: options.from });
  const pairs = await pairsOf(file, options);
  const settings = readSettings(options);
  const dryRun = options.dryRun === true;
  const line = showLine();
  await withSession(settings, async (session) => {
    const [client, ledger] = [await session.client(), await session.ledger()];
    const { ScanStore } = await import("../../scan/index.ts");
    const scans = new ScanStore(settings.scanFolder);
    const looked: { readonly from: Dataset; readonly to: Dataset; readonly readiness: readonly Readiness[] }[] = [];
    for (const pair of pairs) {
      const tick = (what: string): void => line.show(`${pair.from.name}: ${what}`);
      const how = { client, ledger, scans, chunks: options.chunks, sources: NEWEST_SOURCES, tick, signal: interruptSignal() };
      looked.push({ ...pair, readiness: await checkReadiness(pair.from, how) });
    }
    line.end();
    const isFit = looked.every(({ readiness }) => readiness.every(({ ok }) => ok));
    const asked = { dryRun: dryRun || !isFit, by: userName(), onProgress: line.show };
    const targets = pairs.map(({ to }) => to);
    const applied = await applyDatasets(client, ledger, targets, asked).finally(line.end);
    if (!isFit || applied.some(({ kind }) => kind === "refused")) process.exitCode = EXIT.failed;
    for (const [index, { from, to, readiness }] of looked.entries()) {
      const { hash = "", kind = "new", changes = [] } = applied[index] ?? {};
      const differing = differences(from, to);
      const outcome = kind === "refused" ? "refused" : !isFit ? "not fit" : dryRun ? "would change" : "applied";
      const record = { from: from.name, to: to.name, hash, outcome, readiness, differences: differing, changes };
      if (options.json === true) console.log(JSON.stringify(record));
      else for (const text of linesOf(record)) console.log(text);
    }
  });
}

/** The datasets of the file at both stages; a template may not have more of them at one than at the other. */
async function pairsOf(file: string, { from, to }: Options): Promise<{ readonly from: Dataset; readonly to: Dataset }[]> {
  const [before, after] = [await readDatasetFiles([file], from), await readDatasetFiles([file], to)];
  if (before.length !== after.length || before.length === 0) {
    throw new FreshetError("usage", "the stages do not have the same datasets", {
      found: `${before.length} at ${from}, ${after.length} at ${to}`,
      path: file,
    });
  }
  return after.map((dataset, index) => ({ from: before[index] as Dataset, to: dataset }));
}

interface Promoted {
  readonly from: string;
  readonly to: string;
  readonly outcome: string;
  readonly readiness: readonly Readiness[];
  readonly differences: readonly Difference[];
  readonly changes: readonly string[];
}

function linesOf({ from, to, outcome, readiness, differences: differing, changes }: Promoted): string[] {
  const verdict = outcome === "not fit" || outcome === "refused" ? paint("bad", outcome) : outcome;
  return [
    `${from} → ${to}: ${changes.length === 0 && outcome !== "not fit" ? "nothing to do" : verdict}`,
    ...readiness.map(({ check, ok, found, remedy }) => {
      const mark = ok ? "ok    " : paint("bad", "FAILED");
      return `  ${mark} ${check.padEnd(9)}  ${found}${remedy === "" ? "" : `. ${remedy}`}`;
    }),
    ...differing.map(({ path, from: before, to: after }) => `  differs  ${path}: ${before ?? "nothing"} → ${after ?? "nothing"}`),
    ...changes.map((change) => `  ${outcome === "applied" ? "changed " : "would be"} ${change}`),
  ];
}
