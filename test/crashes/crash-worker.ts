/**
 * A worker as `freshet worker` starts it, by the settings of its environment. Its parent orders, by messages, at which step it is to die
 * or to stand still; the first one starts it. Every step that it reaches is a line of its standard output, before what was ordered happens.
 */
import { writeSync } from "node:fs";
import { onStep } from "../../src/steps/index.ts";
import { type RunningWorker, readSettings, startWorker } from "../../src/worker/index.ts";
import type { Instruction, Order } from "./order.ts";

const GRACE_MS = 30_000;
/** How long a workflow's next step waits for the worker that had the last one. */
const STICKY = "1 second";
/** Work that is given to one that stands still is lost until its timeout; the server gives it no more than this. */
const POLLS = 2;

let order: Order | undefined;
let left = 0;
let worker: Promise<RunningWorker> | undefined;

onStep((step) => {
  writeSync(1, `${step}\n`);
  if (step !== order?.step || --left > 0) return;
  const { mishap } = order;
  order = undefined;
  writeSync(1, `! ${mishap}\n`);
  process.kill(process.pid, mishap === "dies" ? "SIGKILL" : "SIGSTOP");
});

process.on("message", (instruction: Instruction) => {
  if ("end" in instruction) {
    void worker?.then((running) => running.stop()).then(() => process.exit(0));
    return;
  }
  order = instruction.order;
  left = order?.time ?? 1;
  worker ??= start();
});

// Nobody waits for it any more.
process.once("disconnect", () => process.exit(1));

async function start(): Promise<RunningWorker> {
  const temporal = {
    workflowBundle: { codePath: process.env.FRESHET_TEST_WORKFLOWS as string },
    stickyQueueScheduleToStartTimeout: STICKY,
    maxConcurrentActivityTaskPolls: POLLS,
    maxConcurrentWorkflowTaskPolls: POLLS,
  } as const;
  const running = await startWorker(readSettings(), { graceMs: GRACE_MS, temporal });
  writeSync(1, "! runs\n");
  return running;
}
