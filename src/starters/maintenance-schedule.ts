import {
  type Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type ScheduleSpec,
} from "@temporalio/client";
import { type DatasetReference, maintenanceWorkflowId, TASK_QUEUE } from "../contract/index.ts";

/** A sweep that was missed is not made up for: the next one sees the same. */
const CATCH_UP = "1 minute";
/** So that the datasets of an installation do not all look at once; of the interval. */
const JITTER = 0.1;

/**
 * Makes sure that the dataset's sources are swept every `everyMs` milliseconds. Answers what changed (or would), undefined when it
 * was so already.
 */
export async function ensureMaintenance(
  client: Client,
  dataset: DatasetReference,
  everyMs: number,
  options: { readonly dryRun?: boolean } = {},
): Promise<"created" | "changed" | undefined> {
  const scheduleId = maintenanceWorkflowId(dataset.name);
  const handle = client.schedule.getHandle(scheduleId);
  const spec: ScheduleSpec = { intervals: [{ every: everyMs }], jitter: Math.round(everyMs * JITTER) };
  const action = {
    type: "startWorkflow" as const,
    workflowType: "maintenance",
    workflowId: scheduleId,
    taskQueue: TASK_QUEUE,
    args: [dataset],
  };
  const policies = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCH_UP } as const;
  try {
    const present = await handle.describe();
    const [given] = (present.action.args ?? []) as readonly DatasetReference[];
    const isSame = given?.hash === dataset.hash && Number(present.spec.intervals?.[0]?.every) === everyMs;
    if (isSame) return undefined;
    if (options.dryRun !== true) await handle.update((schedule) => ({ ...schedule, spec, action, policies }));
    return "changed";
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    if (options.dryRun === true) return "created";
    try {
      await client.schedule.create({ scheduleId, spec, action, policies });
      return "created";
    } catch (failure) {
      // Two apply at the same time: the other one was first.
      if (failure instanceof ScheduleAlreadyRunning) return await ensureMaintenance(client, dataset, everyMs, options);
      throw failure;
    }
  }
}
