import type { Client } from "@temporalio/client";
import type { IcechunkStore } from "../../src/writers/icechunk/index.ts";
import { type GrowingStore, growth } from "../../test/writers/icechunk/growing-store.ts";

export interface PrototypeActivities {
  /** Remembers a granule and wakes the dataset. */
  note(key: string): Promise<void>;
  /** Writes everything that is remembered, and publishes it. */
  append(): Promise<void>;
}

export const PROTOTYPE_QUEUE = "prototype";

/** No ledger, no scan, no verification: what Temporal and Icechunk cost by themselves. */
export function prototypeActivities(
  client: Client,
  store: IcechunkStore,
  growing: GrowingStore,
  onReadable: (key: string) => void,
): PrototypeActivities {
  const waiting: string[] = [];
  let slots = 0;
  return {
    async note(key) {
      waiting.push(key);
      await client.workflow.signalWithStart("prototypeDataset", {
        workflowId: "prototype-dataset",
        taskQueue: PROTOTYPE_QUEUE,
        args: [],
        signal: "wake",
        signalArgs: [],
      });
    },
    async append() {
      const keys = waiting.splice(0);
      if (keys.length === 0) return;
      const head = await store.head();
      const change = growth(growing, slots, slots + keys.length);
      slots += keys.length;
      await store.publish(head, await store.stage(head, change, `up to ${slots}`));
      for (const key of keys) onReadable(key);
    },
  };
}
