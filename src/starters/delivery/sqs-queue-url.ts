import type { SqsDelivery } from "../../dataset/index.ts";
import { FreshetError } from "../../errors/index.ts";
import { resolvedText } from "./secret-text.ts";

/** The URL of a delivery's queue. @throws FreshetError `usage` when a variable is not set, or does not hold a URL. */
export function queueUrl(delivery: SqsDelivery): string {
  const url = resolvedText(delivery.queue);
  if (/^https?:\/\/[^/@]+\/./.test(url) && URL.canParse(url)) return url;
  throw new FreshetError("usage", "the queue's URL is not one", {
    found: "a text that is not shown",
    expected: "https://sqs.REGION.amazonaws.com/ACCOUNT/NAME",
    path: `sqs.queue: ${delivery.queue}`,
    remedy: "Correct the variable in the environment of this process",
  });
}
