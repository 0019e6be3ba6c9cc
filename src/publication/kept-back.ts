import { type Dataset, type Product, positionOf } from "../dataset/index.ts";
import type { Ledger, Revision } from "../ledger/index.ts";
import { ForecastCells, type ReadyArrival } from "../products/index.ts";
import { readRuns } from "./read-runs.ts";

/** Whether a revision waits until its run is whole. */
export type KeptBack = (revision: Pick<Revision, "state" | "fields">) => Promise<boolean>;

/**
 * Which revisions wait until their run is whole, where the dataset file wants that: while a run is open, nothing of it is published. What the
 * ledger says of a run is asked once, so that all of it is kept back, or nothing. Undefined where nothing is kept back.
 * @param upToSeq the ledger's events up to this one (inclusive) count.
 */
export function keptBack(
  ledger: Ledger,
  dataset: Dataset,
  { upToSeq, nowMs }: { readonly upToSeq: number; readonly nowMs: number },
): KeptBack | undefined {
  const { runs } = dataset;
  if (runs?.publish !== "when-complete") return undefined;
  const open = new Map<number, Promise<boolean>>();
  const isOpen = async (runMs: number): Promise<boolean> => {
    const [run] = await readRuns(ledger, dataset, { fromMs: runMs, toMs: runMs }, nowMs, upToSeq);
    return run?.state === "open";
  };
  return async ({ state, fields }) => {
    const runMs = fields?.run;
    if (state !== "ready" || typeof runMs !== "number") return false;
    if (positionOf(runs.cycle, runMs, runs.cycle.anchorMs) === undefined) return false;
    const answer = open.get(runMs) ?? isOpen(runMs);
    open.set(runMs, answer);
    return answer;
  };
}

/** Why an arrival of a forecast stays out: somebody has given its run up, and left it out. Undefined for the others. */
export async function leftRuns(
  ledger: Ledger,
  { name }: Dataset,
  product: Product,
): Promise<(arrival: Pick<ReadyArrival, "place">) => string | undefined> {
  if (product.kind !== "forecast") return () => undefined;
  const cells = ForecastCells.of(product.runs);
  const left = new Map((await ledger.givenUpRuns(name)).filter(({ leave }) => leave).map((run) => [run.runMs, run]));
  return ({ place }) => {
    const run = place === undefined ? undefined : left.get(cells.at(place).runMs);
    return run && `its run was given up and left out by ${run.by}: ${run.reason}`;
  };
}

/** The revisions that do not wait for others, in the order given. */
export async function withoutKept(revisions: readonly Revision[], kept: KeptBack | undefined): Promise<Revision[]> {
  if (kept === undefined) return [...revisions];
  const waits = await Promise.all(revisions.map(kept));
  return revisions.filter((_, index) => waits[index] !== true);
}
