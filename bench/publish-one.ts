import { onStep } from "../src/steps/index.ts";
import { Parts } from "./figures.ts";
import type { LargeProduct } from "./large-product.ts";

/** What a part of a publication ends with, as people call the part. */
const PART_OF: Readonly<Record<string, string>> = {
  "publish: before flush": "plan again",
  "publish: part flushed": "flush",
  "publish: after flush": "flush",
  "publish: verified": "verify",
  "publish: swapped": "swap",
  "publish: before the ledger": "keep the state",
  "publish: ledger half told": "tell the ledger",
  "publish: ledger told": "tell the ledger",
};

/** Publishes what is ready, and tells how long each part of it took. */
export async function publishOne(product: Pick<LargeProduct, "publisher" | "dataset" | "reference">): Promise<Parts> {
  const parts = new Parts();
  const [plan] = await product.publisher.plan(product.dataset);
  if (plan === undefined || "trouble" in plan) throw new Error(plan === undefined ? "nothing to publish" : plan.trouble);
  parts.mark("plan");
  const stop = onStep((step) => {
    const part = PART_OF[step];
    if (part !== undefined) parts.mark(part);
  });
  try {
    await product.publisher.publish(product.reference, product.dataset, plan, (what) => {
      if (what.startsWith("reading scans")) parts.mark("read scans");
      else if (what === "writing") parts.mark("write");
    });
    return parts;
  } finally {
    stop();
  }
}
