import {
  compileNames,
  type Dataset,
  keyPrefixOfRun,
  positionOf,
  type Runs,
  stepAtOrAfter,
  stepAtOrBefore,
  timeAt,
} from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import type { Alarm, Ledger, Revision } from "../ledger/index.ts";
import { type ForecastRun, forecastRun, runName } from "../products/index.ts";

/** Granules to a page of the ledger. */
const PAGE = 2_000;
/** Runs that one look looks back on: after a pause, those that began meanwhile. */
const MOST_RUNS = 10;

export interface RunSpan {
  /** Forecast reference times, both inclusive, of the cycle. */
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * The runs of a span by the ledger alone, ascending, those of which there is nothing too. Costs as much as the span has granules where the run
 * stands first in keys, which is so unless another instant's name comes before it; else as the dataset has.
 * @param upToSeq what became of granules up to this event of the ledger (inclusive) counts, and whatever is published.
 * @throws FreshetError `usage` for a dataset without runs.
 */
export async function readRuns(
  ledger: Ledger,
  dataset: Dataset,
  { fromMs, toMs }: RunSpan,
  nowMs: number,
  upToSeq = Number.MAX_SAFE_INTEGER,
): Promise<ForecastRun[]> {
  const runs = runsOf(dataset);
  const byRun = new Map<number, Revision[]>();
  const steps = positionOf(runs.cycle, toMs, fromMs) ?? -1;
  for (let step = 0; step <= steps; step++) byRun.set(timeAt(runs.cycle, step, fromMs), []);
  for await (const revision of granulesFrom(ledger, dataset, fromMs, toMs)) {
    const { run } = revision.fields ?? {};
    const counts = revision.state === "published" || revision.changedSeq <= upToSeq;
    if (counts && typeof run === "number") byRun.get(run)?.push(revision);
  }
  const givenUp = new Map((await ledger.givenUpRuns(dataset.name)).map((run) => [run.runMs, run]));
  return [...byRun].map(([runMs, granules]) => forecastRun(runs, runMs, granules, nowMs, givenUp.get(runMs)));
}

/** The forecast reference time of the first run in the ledger; undefined where there is none. */
export async function firstRunOf(ledger: Ledger, dataset: Dataset): Promise<number | undefined> {
  const isOrdered = keyPrefixOfRun(compileNames(dataset.match).kinds, 0) !== undefined;
  let firstMs: number | undefined;
  for await (const { fields } of granulesFrom(ledger, dataset, undefined, undefined, isOrdered ? 1 : PAGE)) {
    if (typeof fields?.run !== "number") continue;
    if (isOrdered) return fields.run;
    firstMs = Math.min(fields.run, firstMs ?? fields.run);
  }
  return firstMs;
}

/** The runs that have begun lately and are neither complete nor given up, ascending. */
export async function runsToOpen(ledger: Ledger, dataset: Dataset, nowMs: number): Promise<ForecastRun[]> {
  const found = await lastRuns(ledger, dataset, nowMs, nowMs);
  return found.filter(({ state }) => state === "open" || state === "late");
}

/** An alarm for each run whose deadline was over lately and that is still waited for; none where the dataset file says no deadline. */
export async function overdueRuns(ledger: Ledger, dataset: Dataset, nowMs: number): Promise<Alarm[]> {
  const { deadlineMs } = dataset.runs ?? {};
  if (deadlineMs === undefined) return [];
  const found = await lastRuns(ledger, dataset, nowMs - deadlineMs, nowMs);
  return found.flatMap(({ state, runMs, dueMs }): Alarm[] => {
    if (state !== "late" || dueMs === undefined) return [];
    // An alarm keeps the words that it was raised with, so these say nothing that changes.
    const text = `run ${runName(runMs)} was due ${new Date(dueMs).toISOString()}, and is not whole: freshet runs ${dataset.name}`;
    return [{ kind: "overdue", subject: runName(runMs), text, sinceMs: dueMs }];
  });
}

/** The last few runs of the cycle up to an instant, none from before there was anything of the dataset, or before it was applied. */
async function lastRuns(ledger: Ledger, dataset: Dataset, untilMs: number, nowMs: number): Promise<ForecastRun[]> {
  const { cycle } = runsOf(dataset);
  const toMs = stepAtOrBefore(cycle, untilMs);
  const appliedMs = (await ledger.currentDataset(dataset.name))?.appliedMs ?? nowMs;
  const beginMs = Math.min(appliedMs, (await firstRunOf(ledger, dataset)) ?? appliedMs);
  const fromMs = Math.max(timeAt(cycle, 1 - MOST_RUNS, toMs), stepAtOrAfter(cycle, beginMs));
  return fromMs > toMs ? [] : readRuns(ledger, dataset, { fromMs, toMs }, nowMs);
}

/** @throws FreshetError `usage` for a dataset without runs. */
export function runsOf({ name, runs }: Dataset): Runs {
  if (runs !== undefined) return runs;
  throw new FreshetError("usage", "this dataset has no runs", {
    found: name,
    expected: "one whose dataset file says when its model runs: runs: { every: 6h, leads: 0h..48h/1h }",
  });
}

/** Revisions of the runs of a span, and perhaps of others. */
async function* granulesFrom(
  ledger: Ledger,
  dataset: Dataset,
  fromMs?: number,
  toMs?: number,
  limit = PAGE,
): AsyncGenerator<Revision> {
  const { kinds } = compileNames(dataset.match);
  const first = fromMs === undefined ? undefined : keyPrefixOfRun(kinds, fromMs);
  const last = toMs === undefined ? undefined : keyPrefixOfRun(kinds, toMs);
  // A key may be nothing but the run: the page begins before it.
  let afterKey = first?.slice(0, -1);
  for (;;) {
    const page = await ledger.granules(dataset.name, { limit, afterKey });
    for (const revision of page) {
      if (last !== undefined && revision.key > last && !revision.key.startsWith(last)) return;
      yield revision;
    }
    afterKey = page.at(-1)?.key;
    if (afterKey === undefined) return;
  }
}
