import { type Command, InvalidArgumentError } from "commander";
import { endOf } from "../../acquisition/index.ts";
import { type Dataset, INSTANT_FORM, positionOf, type Runs, stepAtOrBefore, timeAt } from "../../dataset/index.ts";
import { FreshetError } from "../../errors/index.ts";
import type { Ledger } from "../../ledger/index.ts";
import { giveUpRun } from "../../starters/index.ts";
import { readSettings } from "../../worker/settings.ts";
import { appliedDataset } from "../applied-dataset.ts";
import { requireWorker } from "../has-worker.ts";
import { runLines, runRecord } from "../runs/run-lines.ts";
import { withSession } from "../session.ts";
import { userName } from "../user-name.ts";

interface Options {
  readonly last: number;
  readonly to?: string;
  readonly json?: boolean;
  readonly home?: string;
  readonly giveUp?: string;
  readonly reason?: string;
  readonly by?: string;
  readonly leave?: boolean;
}

/** Revisions among which the newest run is looked for, where the dataset file does not say when one is due. */
const NEWEST = 1_000;

const EXAMPLES = `
Examples:
  freshet runs dbofs                          the last eight runs: what is there of each, what is missing
  freshet runs dbofs --last 30                more of them
  freshet runs dbofs --to 2024-09-01T06:00Z   those up to a run
  freshet runs dbofs --json                   the same for programs, one line a run
  freshet runs dbofs --give-up 20240901T0600Z --reason "the model failed"
                                              nobody waits for the rest of it any more; what is there is published
  freshet runs dbofs --give-up 20240901T0600Z --reason "wrong input" --leave
                                              and what is not published yet stays out

It asks the ledger only, and needs no Temporal server, except to give a run up. With a deadline in the dataset file, runs of which nothing has come are there too.`;

export function configure(command: Command): void {
  command
    .argument("<dataset>", "name of an applied dataset with runs")
    .option("--last <count>", "runs at most", runCount, 8)
    .option("--to <instant>", `the last run, ${INSTANT_FORM}`)
    .option("--json", "print one JSON object a run")
    .option("--give-up <run>", "do not wait for this run any more: 20240901T0600Z, or an instant")
    .option("--reason <text>", "why it is given up")
    .option("--by <name>", "who gives it up (default: the user's name)")
    .option("--leave", "leave out what has come of it and is not published")
    .option("--home <folder>", "where the ledger is (FRESHET_HOME, default .freshet)")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(name: string, { last, to, json = false, giveUp, ...options }: Options): Promise<void> {
  if (giveUp !== undefined) return giveUpOne(name, giveUp, json, options);
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

async function giveUpOne(name: string, text: string, json: boolean, options: Omit<Options, "last">): Promise<void> {
  const { reason, by = userName(), leave = false } = options;
  if (reason === undefined) {
    const remedy = 'Add --reason "the model failed", for those who read it later';
    throw new FreshetError("usage", "giving a run up needs a reason", { remedy });
  }
  await withSession(readSettings(options), async (session) => {
    const { dataset, hash } = await appliedDataset(await session.ledger(), name);
    const { runsOf } = await import("../../publication/index.ts");
    const { cycle } = runsOf(dataset);
    const [, date, hours, minutes] = /^(\d{8})T(\d{2})(\d{2})Z$/.exec(text) ?? [];
    const day = date?.replace(/^(....)(..)(..)$/, "$1-$2-$3");
    const runMs = endOf("--give-up", day === undefined ? text : `${day}T${hours}:${minutes}Z`);
    if (positionOf(cycle, runMs, cycle.anchorMs) === undefined)
      throw new FreshetError("usage", "this is not a run of the cycle", {
        found: text,
        remedy: `freshet runs ${name} shows them`,
      });
    const client = await session.client();
    await requireWorker(client);
    const status = await giveUpRun(client, { name, hash }, runMs, { reason, by, leave });
    if (json) console.log(JSON.stringify(status));
    else console.log(`run ${status.run} of ${name} is ${status.stage}: ${status.there} of ${status.cells} cells are there`);
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
