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
import type { DatasetActivities, DatasetInput, DatasetStage, PublicationResult } from "../contract/index.ts";
import { configureSignal, datasetStatusQuery, wakeSignal } from "./messages.ts";
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

/**
 * The only writer of a dataset's products. A wake says nothing but "look into the ledger"; one lost or doubled changes
 * nothing, since it also looks by itself. It lives for ever, by continuing as new.
 */
export async function dataset(input: DatasetInput): Promise<never> {
  let settings = { dataset: input.dataset, coalesceMs: input.coalesceMs };
  let stage: DatasetStage = "idle";
  let { wakes, published } = input;
  let awake = true;
  let last: PublicationResult | undefined;
  let troubles: string[] = [];

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
  });
  setHandler(datasetStatusQuery, () => ({ stage, dataset: settings.dataset, published, wakes, last, troubles }));

  while (!workflowInfo().continueAsNewSuggested) {
    if (!awake) {
      if (troubles.length === 0) enter("idle", "waiting for granules");
      else enter("troubled", troubles.join("; "));
      await condition(() => awake, input.lookEveryMs);
    }
    if (settings.coalesceMs > 0) {
      enter("coalescing", `${settings.coalesceMs} ms`);
      await sleep(settings.coalesceMs);
    }
    awake = false;
    troubles = [];
    enter("combining", "");
    await attempt(async () => {
      for (const plan of await combine(settings.dataset)) {
        await attempt(async () => {
          if ("trouble" in plan) {
            troubles.push(`${plan.product}: ${plan.trouble}`);
            return;
          }
          enter("appending", `${plan.product} #${plan.sequence}: +${plan.added} ~${plan.replaced} -${plan.removed}`);
          last = await append(settings.dataset, plan);
          if (!plan.unchanged) published++;
        });
      }
    });
  }
  await condition(allHandlersFinished);
  return continueAsNew<typeof dataset>({ ...input, ...settings, wakes, published });
}

function describe(result: PublicationResult): string {
  return `${result.product} #${result.sequence}, version ${result.version}, ${result.granules} granules`;
}

function isOvertaken(failure: ActivityFailure): boolean {
  return failure.cause instanceof ApplicationFailure && failure.cause.type === "conflict";
}
