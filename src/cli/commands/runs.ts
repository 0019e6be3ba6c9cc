import { type Command, InvalidArgumentError } from "commander";
import { endOf } from "../../acquisition/index.ts";
import { type Dataset, INSTANT_FORM, type Runs, stepAtOrBefore, timeAt } from "../../dataset/index.ts";
import type { Ledger } from "../../ledger/index.ts";
import { readSettings } from "../../worker/settings.ts";
import { appliedDataset } from "../applied-dataset.ts";
import { runLines, runRecord } from "../runs/run-lines.ts";
import { withSession } from "../session.ts";

interface Options {
  readonly last: number;
  readonly to?: string;
  readonly json?: boolean;
  readonly home?: string;
}

/** Revisions among which the newest run is looked for, where the dataset file does not say when one is due. */
const NEWEST = 1_000;

const EXAMPLES = `
Examples:
  freshet runs dbofs                          the last eight runs: what is there of each, what is missing
  freshet runs dbofs --last 30                more of them
  freshet runs dbofs --to 2024-09-01T06:00Z   those up to a run
  freshet runs dbofs --json                   the same for programs, one line a run

It asks the ledger only, and needs no Temporal server. With a deadline in the dataset file, runs of which nothing has come are there too.`;

export function configure(command: Command): void {
  command
    .argument("<dataset>", "name of an applied dataset with runs")
    .option("--last <count>", "runs at most", runCount, 8)
    .option("--to <instant>", `the last run, ${INSTANT_FORM}`)
    .option("--json", "print one JSON object a run")
    .option("--home <folder>", "where the ledger is (FRESHET_HOME, default .freshet)")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(name: string, { last, to, json = false, ...options }: Options): Promise<void> {
  await withSession(readSettings(options), async (session) => {
    const ledger = await session.ledger();
    const { dataset } = await appliedDataset(ledger, name);
    const { firstRunOf, readRuns, runsOf } = await import("../../publication/index.ts");
    const runs = runsOf(dataset);
    const nowMs = Date.now();
    const firstMs = await firstRunOf(ledger, dataset);
    const toMs = stepAtOrBefore(runs.cycle, to === undefined ? await newestRun(ledger, dataset, runs, nowMs) : endOf("--to", to));
    const fromMs = Math.max(timeAt(runs.cycle, 1 - last, toMs), firstMs ?? Number.POSITIVE_INFINITY);
    const found = fromMs > toMs ? [] : await readRuns(ledger, dataset, { fromMs, toMs }, nowMs);
    if (json) for (const each of found) console.log(JSON.stringify(runRecord(dataset, each)));
    else if (found.length === 0) console.log(`${name}: no run yet`);
    else for (const line of runLines(dataset, runs, found, nowMs)) console.log(line);
  });
}

/** With a deadline, the run that has begun last, whether anything of it is there or not; without one, the newest that has something. */
async function newestRun(ledger: Ledger, { name }: Dataset, { deadlineMs }: Runs, nowMs: number): Promise<number> {
  if (deadlineMs !== undefined) return nowMs;
  const newest = await ledger.newest(name, NEWEST);
  const times = newest.map(({ fields }) => fields?.run).filter((ms) => typeof ms === "number");
  return times.length === 0 ? nowMs : Math.max(...times);
}

function runCount(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 1_000) throw new InvalidArgumentError("A whole number from 1 to 1000.");
  return number;
}
