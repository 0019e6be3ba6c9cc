import { condition, defineSignal, proxyActivities, setHandler } from "@temporalio/workflow";
import type { PrototypeActivities } from "./activities.ts";

const { note, append } = proxyActivities<PrototypeActivities>({ startToCloseTimeout: "1 minute" });

export const wakeSignal = defineSignal("wake");

/** The least that a granule's workflow could do. */
export async function prototypeGranule(key: string): Promise<void> {
  await note(key);
}

/** The least that a dataset's workflow could do. */
export async function prototypeDataset(): Promise<void> {
  let awake = true;
  setHandler(wakeSignal, () => {
    awake = true;
  });
  for (;;) {
    await condition(() => awake);
    awake = false;
    await append();
  }
}
