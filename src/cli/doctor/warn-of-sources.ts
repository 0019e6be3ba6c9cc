import type { Logger } from "pino";
import { datasetOfText } from "../../dataset/index.ts";
import type { Ledger } from "../../ledger/index.ts";
import { examine } from "./finding.ts";
import { datasetChecks } from "./source-checks.ts";

/**
 * Says in one line each what is wrong with the sources and stores of the applied datasets. Queues are left to their starters, which say it
 * themselves. Ends when the signal aborts. Never throws: a worker runs also while a source is away.
 */
export async function warnOfSources(ledger: Ledger, log: Pick<Logger, "warn">, signal: AbortSignal): Promise<void> {
  try {
    const datasets = (await ledger.datasets()).map(({ text }) => datasetOfText(text));
    for (const check of datasetChecks(datasets, "", { queues: false, signal })) {
      const { part, ok, found, remedy } = await examine(check);
      if (signal.aborted) return;
      if (!ok) log.warn({ part, remedy }, `${part}: ${found}. ${remedy}`);
    }
  } catch (error) {
    log.warn({ part: "ledger" }, `the applied datasets could not be looked at: ${(error as Error).message}`);
  }
}
