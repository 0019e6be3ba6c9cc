import { defineSearchAttributeKey } from "@temporalio/common";
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from "@temporalio/workflow";
import type { DatasetReference, RunActivities, RunInput, RunStatus } from "../contract/index.ts";
import { giveUpUpdate, lookSignal, runStatusQuery } from "./messages.ts";

const STAGE = defineSearchAttributeKey("FreshetStage", "KEYWORD");
/** Files of a run come in crowds: they are looked at together. */
const CROWD_MS = 1_000;
/** A run that nobody was told of looks into the ledger all the same, this often. */
const LOOK_EVERY_MS = 600_000;

const { lookAtRun, releaseRun } = proxyActivities<RunActivities>({
  summary: "what is there of the run?",
  startToCloseTimeout: "5 minutes",
  heartbeatTimeout: "1 minute",
  retry: { initialInterval: "500 milliseconds", maximumInterval: "1 minute" },
});

const { giveUpRun } = proxyActivities<RunActivities>({
  summary: "an operator gives the run up",
  startToCloseTimeout: "5 minutes",
  heartbeatTimeout: "1 minute",
  retry: { initialInterval: "500 milliseconds", maximumInterval: "10 seconds", maximumAttempts: 10 },
});

const { openRuns: openRunsOf } = proxyActivities<RunActivities>({
  summary: "which runs should be there?",
  startToCloseTimeout: "10 minutes",
  heartbeatTimeout: "1 minute",
  retry: { initialInterval: "1 second", maximumInterval: "1 minute" },
});

/**
 * The life of one run of a model, from its first granule, or from the moment at which it is due to begin, until it is complete or given up.
 * It holds nothing but what the ledger said last: a lost or doubled signal changes nothing.
 */
export async function run(input: RunInput): Promise<RunStatus> {
  let { dataset, stage } = input;
  let awake = true;
  let seen: RunStatus | undefined;
  setHandler(lookSignal, (reference) => {
    dataset = reference;
    awake = true;
  });
  setHandler(runStatusQuery, () => seen);
  setHandler(
    giveUpUpdate,
    async (asked) => {
      const status = await giveUpRun({ dataset, runMs: input.runMs }, asked);
      awake = true;
      return status;
    },
    { validator: checkGiveUp },
  );

  for (;;) {
    awake = false;
    seen = await lookAtRun({ dataset, runMs: input.runMs });
    setCurrentDetails(describe(seen));
    if (seen.stage !== stage) {
      upsertSearchAttributes([{ key: STAGE, value: seen.stage }]);
      // A run that is no longer open keeps nothing back.
      if (seen.stage !== "open") await releaseRun(dataset);
      stage = seen.stage;
    }
    if (awake) continue;
    if (stage === "complete" || stage === "given up") {
      if (allHandlersFinished()) return seen;
      await condition(allHandlersFinished);
      continue;
    }
    if (workflowInfo().continueAsNewSuggested && allHandlersFinished())
      return continueAsNew<typeof run>({ ...input, dataset, stage });
    await condition(() => awake, untilNextLook(seen));
    if (awake) await sleep(CROWD_MS);
  }
}

/** Starts the runs that should have begun. A schedule starts it at each cycle, so that one of which nothing comes is there too. */
export async function openRuns(dataset: DatasetReference): Promise<readonly string[]> {
  return openRunsOf(dataset);
}

/** Milliseconds until the clock alone makes the run another one, or until it is looked at again in any case. */
function untilNextLook({ stage, dueMs, givenUpMs }: RunStatus): number {
  const nextMs = stage === "open" ? (dueMs ?? givenUpMs) : givenUpMs;
  return Math.max(CROWD_MS, Math.min(nextMs + 1 - Date.now(), LOOK_EVERY_MS));
}

function checkGiveUp(asked: unknown): void {
  const { reason, by, leave } = (asked ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof reason !== "string" || reason === "") throw new Error('giveUp takes {"reason": "…"}: why nobody waits any more');
  if (by !== undefined && typeof by !== "string") throw new Error("giveUp: by is text: who says so");
  if (leave !== undefined && typeof leave !== "boolean") throw new Error("giveUp: leave is true or false");
}

function describe({ run: name, stage, cells, there, late, quarantined, awaited, heardMs, dueMs, givenUp }: RunStatus): string {
  const lines = [`**${stage}** run ${name}: ${there} of ${cells} cells are there`];
  if (givenUp !== undefined) lines.push(`* given up by ${givenUp}`);
  if (awaited !== "") lines.push(`* waits for ${awaited}`);
  lines.push(`* ${heardMs === undefined ? "nothing of it has come" : `something of it came last at ${instant(heardMs)}`}`);
  if (dueMs !== undefined) lines.push(`* due ${instant(dueMs)}${late === 0 ? "" : `; ${late} came after that`}`);
  if (quarantined > 0) lines.push(`* ${quarantined} in quarantine`);
  return lines.join("\n");
}

function instant(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
