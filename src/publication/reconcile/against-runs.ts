import { type ForecastProduct, type Runs, stepAtOrAfter, stepAtOrBefore, timeAt } from "../../dataset/index.ts";
import {
  describeLeads,
  ForecastCells,
  type ForecastRun,
  firstKept,
  isSettled,
  type RunMember,
  runName,
} from "../../products/index.ts";
import { standingPlaces } from "../expire.ts";
import { lookAtProduct } from "../product-store.ts";
import { firstRunOf, readRuns } from "../read-runs.ts";
import { type Findings, isValidInSpan, type ReconcileContext } from "./context.ts";

/** Runs to a part. */
const RUNS = 500;

/**
 * The cells that a forecast's runs should have, against the ledger, from the run at `fromMs` on: a run that is due and of some cells of which
 * nobody has heard is overdue. Runs that the products keep no longer, and those that somebody has given up, are not waited for.
 * @returns the run at which the next part begins, milliseconds since 1970; undefined at the end.
 */
export async function againstRuns(
  fromMs: number | undefined,
  context: ReconcileContext,
  findings: Findings,
): Promise<number | undefined> {
  const { dataset, ledger, span, onProgress, now } = context;
  const products = dataset.products.filter((product) => product.kind === "forecast");
  const { runs } = dataset;
  if (runs === undefined || products.length === 0) return undefined;
  const nowMs = now();
  const leads = ForecastCells.of(runs).leads();
  const [shortestMs = 0, longestMs = 0] = [leads[0], leads.at(-1)];
  const beginMs = fromMs ?? (await firstRun(runs, products, longestMs, context));
  const lastMs = stepAtOrBefore(runs.cycle, Math.min(nowMs, (span.toMs ?? nowMs) - shortestMs));
  if (beginMs === undefined || beginMs > lastMs) return undefined;
  const toMs = Math.min(lastMs, timeAt(runs.cycle, RUNS - 1, beginMs));
  onProgress(`runs: up to ${runName(toMs)}`);
  for (const run of await readRuns(ledger, dataset, { fromMs: beginMs, toMs }, nowMs)) compare(run, context, findings);
  return toMs < lastMs ? timeAt(runs.cycle, RUNS, beginMs) : undefined;
}

function compare({ runMs, givenUp, dueMs, members: cells }: ForecastRun, context: ReconcileContext, findings: Findings): void {
  const { dataset, now } = context;
  const members = cells.filter(({ leadMs }) => isValidInSpan(context, runMs + leadMs));
  findings.compared += members.length;
  const endMs = dueMs ?? runMs + (dataset.holdMs ?? 0) + dataset.await.deadlineMs;
  if (givenUp !== undefined || now() <= endMs || !members.some(isUnheardOf)) return;
  const there = members.filter(({ state }) => isSettled(state)).length;
  findings.report({
    kind: "overdue",
    where: `run ${runName(runMs)}`,
    found: `${there} of ${members.length} cells; nobody has heard of ${describeLeads(members, isUnheardOf)}`,
    expected: `all of them since ${new Date(endMs).toISOString()}, says the dataset file`,
  });
}

function isUnheardOf({ state }: RunMember): boolean {
  return state === "missing" || state === "expected";
}

/** The first run that is looked at: it has cells in the span, is not before those that the ledger has, where no span is asked for, and is kept. */
async function firstRun(
  { cycle }: Runs,
  products: readonly ForecastProduct[],
  longestMs: number,
  { dataset, ledger, span, now }: ReconcileContext,
): Promise<number | undefined> {
  const beginMs = span.fromMs === undefined ? await firstRunOf(ledger, dataset) : span.fromMs - longestMs;
  if (beginMs === undefined) return undefined;
  const kept: number[] = [];
  for (const product of products) {
    const state = await lookAtProduct(dataset, product);
    const place = firstKept(product, standingPlaces(state?.stored), now());
    kept.push(place === undefined ? Number.NEGATIVE_INFINITY : ForecastCells.of(product.runs).at(place).runMs);
  }
  return stepAtOrAfter(cycle, Math.max(beginMs, Math.min(...kept)));
}
