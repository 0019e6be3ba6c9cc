import type { DatasetReference, RunActivities, RunReference, RunStatus } from "../contract/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { describeAwaited, isSettled, runName } from "../products/index.ts";
import { readRuns, runsToOpen } from "../publication/index.ts";
import type { DatasetFiles } from "./dataset-files.ts";
import { withHeartbeat } from "./heartbeat.ts";

export interface RunParts {
  readonly ledger: Ledger;
  readonly files: DatasetFiles;
  readonly wake: (dataset: DatasetReference) => Promise<void>;
  /** Tells the workflow of a run to look, and starts it where it does not run. */
  readonly tellRun: (dataset: DatasetReference, runMs: number) => Promise<void>;
}

/** The activities of the run workflow; the contract of each stands at `RunActivities`. */
export function createRunActivities({ ledger, files, wake, tellRun }: RunParts): RunActivities {
  const look = async ({ dataset: reference, runMs }: RunReference): Promise<RunStatus> => {
    const dataset = await files.get(reference);
    const span = { fromMs: runMs, toMs: runMs };
    const [run] = await withHeartbeat(() => readRuns(ledger, dataset, span, Date.now()));
    if (run === undefined) throw new Error(`no answer about run ${runName(runMs)}`);
    const { state: stage, members, heardMs, dueMs, givenUpMs, givenUp } = run;
    return {
      ...{ run: runName(runMs), stage, cells: members.length, awaited: describeAwaited(members), heardMs, dueMs, givenUpMs },
      there: members.filter(({ state }) => isSettled(state)).length,
      late: members.filter(({ isLate }) => isLate).length,
      quarantined: members.filter(({ state }) => state === "quarantined").length,
      ...(givenUp === undefined ? {} : { givenUp: `${givenUp.by}: ${givenUp.reason}` }),
    };
  };
  return {
    lookAtRun: look,

    async giveUpRun(run, { reason, by = "", leave = false }) {
      await ledger.giveUpRun(run.dataset.name, { runMs: run.runMs, reason, by, leave });
      return look(run);
    },

    releaseRun: wake,

    async openRuns(reference) {
      const dataset = await files.get(reference);
      const runs = await withHeartbeat(() => runsToOpen(ledger, dataset, Date.now()));
      for (const { runMs } of runs) await tellRun(reference, runMs);
      return runs.map(({ runMs }) => runName(runMs));
    },
  };
}
