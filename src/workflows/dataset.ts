import { defineSearchAttributeKey } from "@temporalio/common";
import {
  ActivityFailure,
  ApplicationFailure,
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
import type {
  DatasetActivities,
  DatasetInput,
  DatasetSettings,
  DatasetStage,
  ErrandActivities,
  Operation,
  OperationResult,
  PublicationResult,
} from "../contract/index.ts";
import { FormsKeeper } from "./forms.ts";
import {
  backfillUpdate,
  candidateUpdate,
  changeUpdate,
  configureSignal,
  datasetStatusQuery,
  pauseSignal,
  rebuildUpdate,
  releaseUpdate,
  replayUpdate,
  resumeSignal,
  rollbackUpdate,
  upkeepUpdate,
  wakeSignal,
} from "./messages.ts";
import { checkOperation, OperationQueue } from "./operations.ts";
import { rootMessage } from "./root-message.ts";

const STAGE = defineSearchAttributeKey("FreshetStage", "KEYWORD");

const { combine } = proxyActivities<DatasetActivities>({
  summary: "what would the next version change?",
  startToCloseTimeout: "10 minutes",
  heartbeatTimeout: "1 minute",
  retry: { initialInterval: "500 milliseconds", maximumInterval: "1 minute" },
});
const { append } = proxyActivities<DatasetActivities>({
  summary: "write, verify and publish a version",
  startToCloseTimeout: "1 hour",
  heartbeatTimeout: "1 minute",
  // A plan that somebody else overtook is not tried again: the next turn makes a new one.
  retry: { initialInterval: "500 milliseconds", maximumInterval: "1 minute", nonRetryableErrorTypes: ["conflict"] },
});

const { operate } = proxyActivities<DatasetActivities>({
  summary: "what an operator asked for",
  startToCloseTimeout: "24 hours",
  heartbeatTimeout: "1 minute",
  retry: { initialInterval: "500 milliseconds", maximumInterval: "1 minute", maximumAttempts: 20 },
});

const { replay, backfill } = proxyActivities<ErrandActivities>({
  summary: "an operator's errand",
  startToCloseTimeout: "10 minutes",
  heartbeatTimeout: "1 minute",
  retry: { initialInterval: "500 milliseconds", maximumInterval: "10 seconds", maximumAttempts: 10 },
});

/**
 * The only writer of a dataset's products. A wake says nothing but "look into the ledger"; one lost or doubled changes
 * nothing, since it also looks by itself. It lives for ever, by continuing as new.
 */
export async function dataset(input: DatasetInput): Promise<never> {
  let settings: DatasetSettings = {
    dataset: input.dataset,
    coalesceMs: input.coalesceMs,
    upkeepEveryMs: input.upkeepEveryMs,
    hasForms: input.hasForms,
  };
  const forms = new FormsKeeper(() => settings);
  let stage: DatasetStage = "idle";
  let { wakes, published, tidiedMs = Date.now() } = input;
  let awake = true;
  let last: PublicationResult | undefined;
  let troubles: string[] = [];
  let held: string[] = [];
  let quiet: string[] = [];
  let isPaused = input.isPaused ?? false;
  const operations = new OperationQueue();

  const enter = (next: DatasetStage, details: string): void => {
    if (next !== stage) upsertSearchAttributes([{ key: STAGE, value: next }]);
    stage = next;
    setCurrentDetails(
      `**${next}** ${details}\n* ${published} versions published${last === undefined ? "" : `; last: ${describe(last)}`}`,
    );
  };

  /** Runs a part of a turn. What fails is for people and tried again at the next turn; it does not keep the rest back. */
  const attempt = async (part: () => Promise<void>): Promise<void> => {
    try {
      await part();
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      // A plan that was overtaken is void: the next turn makes another at once.
      if (isOvertaken(error)) awake = true;
      else troubles.push(rootMessage(error));
    }
  };

  setHandler(wakeSignal, () => {
    wakes++;
    awake = true;
  });
  setHandler(configureSignal, (next) => {
    settings = next;
    awake = true;
    forms.wake();
  });
  setHandler(datasetStatusQuery, () => ({
    stage,
    dataset: settings.dataset,
    published,
    wakes,
    last,
    troubles,
    held,
    forms: forms.states,
    quiet,
  }));
  setHandler(pauseSignal, () => {
    isPaused = true;
  });
  setHandler(resumeSignal, () => {
    isPaused = false;
    awake = true;
  });
  setHandler(rollbackUpdate, (asked) => operations.ask({ kind: "rollback", ...asked }), {
    validator: checkOperation("rollback"),
  });
  setHandler(releaseUpdate, (asked) => operations.ask({ kind: "release", ...asked }), { validator: checkOperation("release") });
  setHandler(rebuildUpdate, (asked) => operations.ask({ kind: "rebuild", ...asked }), { validator: checkOperation("rebuild") });
  setHandler(candidateUpdate, (asked) => operations.ask({ kind: "candidate", ...asked }), {
    validator: checkOperation("candidate"),
  });
  setHandler(upkeepUpdate, (asked) => operations.ask({ kind: "upkeep", ...asked }), { validator: checkOperation("upkeep") });
  setHandler(changeUpdate, (asked) => operations.ask({ kind: "change", ...asked }), { validator: checkOperation("change") });

  setHandler(replayUpdate, (asked) => withReason(replay(settings.dataset, asked)));
  setHandler(backfillUpdate, (asked) => withReason(backfill(settings.dataset, asked)));

  const carryOut = async (id: string, operation: Operation): Promise<readonly OperationResult[]> => {
    enter("operating", operation.kind);
    const reference = operation.kind === "change" ? operation.dataset : settings.dataset;
    const results = await operate(reference, id, operation);
    if (operation.kind === "change") {
      const { dataset: next, coalesceMs, upkeepEveryMs, hasForms, lookEveryMs } = operation;
      settings = { dataset: next, coalesceMs, upkeepEveryMs, hasForms, lookEveryMs };
    }
    published += results.filter(({ isPublished }) => isPublished).length;
    awake = true;
    forms.wake();
    return results;
  };

  forms.start();
  while (!workflowInfo().continueAsNewSuggested) {
    if (!awake) {
      if (troubles.length > 0) enter("troubled", [...troubles, ...held].join("; "));
      else if (held.length > 0) enter("held", held.join("; "));
      else if (quiet.length > 0) enter("quiet", quiet.join("; "));
      else enter("idle", "waiting for granules");
      await condition(() => awake || operations.isWaiting || isPaused, settings.lookEveryMs ?? input.lookEveryMs);
    }
    if (isPaused) {
      enter("paused", "an operator lets nothing be published: granules wait in the ledger; the signal resume ends it");
      await condition(() => !isPaused || operations.isWaiting || workflowInfo().continueAsNewSuggested);
    }
    await operations.carryOut(carryOut);
    if (Date.now() - tidiedMs >= settings.upkeepEveryMs) {
      tidiedMs = Date.now();
      await attempt(async () => void (await carryOut(`upkeep ${tidiedMs}`, { kind: "upkeep", by: "the dataset file" })));
    }
    if (isPaused) continue;
    if (settings.coalesceMs > 0) {
      enter("coalescing", `${settings.coalesceMs} ms`);
      await sleep(settings.coalesceMs);
    }
    awake = false;
    troubles = [];
    held = [];
    quiet = [];
    enter("combining", "");
    await attempt(async () => {
      for (const plan of await combine(settings.dataset)) {
        await attempt(async () => {
          if ("trouble" in plan && plan.kind === "quiet") {
            quiet.push(plan.trouble);
            return;
          }
          if ("trouble" in plan) {
            (plan.kind === "held" ? held : troubles).push(`${plan.product}: ${plan.trouble}`);
            return;
          }
          enter("appending", `${plan.product} #${plan.sequence}: +${plan.added} ~${plan.replaced} -${plan.removed}`);
          last = await append(settings.dataset, plan);
          forms.wake();
          if (!plan.unchanged) published++;
          if (plan.isCut === true) awake = true;
        });
      }
    });
  }
  await operations.carryOut(carryOut);
  await condition(allHandlersFinished);
  await forms.stop();
  const { lookEveryMs = input.lookEveryMs, ...others } = settings;
  const lasting = { ...others, lookEveryMs };
  return continueAsNew<typeof dataset>({ ...input, ...lasting, wakes, published, tidiedMs, isPaused });
}

/** Whoever asked is told why not, and not only that an activity failed. */
function withReason<Answer>(answer: Promise<Answer>): Promise<Answer> {
  return answer.catch((error: unknown) => {
    throw error instanceof ActivityFailure ? ApplicationFailure.nonRetryable(rootMessage(error)) : error;
  });
}

function describe(result: PublicationResult): string {
  return `${result.product} #${result.sequence}, version ${result.version}, ${result.granules} granules`;
}

function isOvertaken(failure: ActivityFailure): boolean {
  return failure.cause instanceof ApplicationFailure && failure.cause.type === "conflict";
}
