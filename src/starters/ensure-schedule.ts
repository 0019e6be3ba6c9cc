import { isDeepStrictEqual } from "node:util";
import {
  type Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type ScheduleSpec,
} from "@temporalio/client";
import { TASK_QUEUE } from "../contract/index.ts";

/** A look that was missed is not made up for: the next one sees the same. */
const CATCH_UP = "1 minute";
/** So that an installation does not look at everything at once; of the interval. */
const JITTER = 0.1;

/** A workflow that is started again and again; the schedule's id is the workflow's too. */
export interface Repeated {
  readonly id: string;
  readonly workflowType: string;
  /** Its input. */
  readonly input: object;
  readonly everyMs: number;
  /** The phase: the instants are this much after multiples of `everyMs` since 1970. Default 0. */
  readonly offsetMs?: number;
  /** For the first time as soon as the schedule is there, and not only after an interval. */
  readonly isAtOnce?: boolean;
}

export interface ScheduleOptions {
  readonly dryRun?: boolean;
}

/** Makes a schedule match. Answers what changed (or would), undefined when it was so already. */
export async function ensureSchedule(
  client: Client,
  repeated: Repeated,
  options: ScheduleOptions = {},
): Promise<"created" | "changed" | undefined> {
  const { id, workflowType, input, everyMs, offsetMs = 0, isAtOnce = false } = repeated;
  const handle = client.schedule.getHandle(id);
  const spec: ScheduleSpec = { intervals: [{ every: everyMs, offset: offsetMs }], jitter: Math.round(everyMs * JITTER) };
  const action = { type: "startWorkflow" as const, workflowType, workflowId: id, taskQueue: TASK_QUEUE, args: [input] };
  const policies = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCH_UP } as const;
  try {
    const present = await handle.describe();
    const interval = present.spec.intervals?.[0];
    const isInTime = Number(interval?.every) === everyMs && Number(interval?.offset ?? 0) === offsetMs;
    const isSame = isInTime && isDeepStrictEqual(present.action.args?.[0], input);
    if (isSame) return undefined;
    if (options.dryRun !== true) await handle.update((schedule) => ({ ...schedule, spec, action, policies }));
    return "changed";
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
  if (options.dryRun === true) return "created";
  try {
    await client.schedule.create({ scheduleId: id, spec, action, policies, state: { triggerImmediately: isAtOnce } });
    return "created";
  } catch (error) {
    // Two apply at the same time: the other one was first.
    if (error instanceof ScheduleAlreadyRunning) return await ensureSchedule(client, repeated, options);
    throw error;
  }
}

/** Takes a schedule away. Answers whether there was one. */
export async function removeSchedule(client: Client, id: string, { dryRun }: ScheduleOptions = {}): Promise<boolean> {
  const handle = client.schedule.getHandle(id);
  try {
    if (dryRun === true) await handle.describe();
    else await handle.delete();
    return true;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return false;
    throw error;
  }
}
