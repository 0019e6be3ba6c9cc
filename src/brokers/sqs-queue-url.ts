import type { SqsDelivery } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import { secrets } from "../secrets/index.ts";

/** The URL of a delivery's queue. @throws FreshetError `usage` when a secret is not set, or is no URL; `unreachable`. */
export async function queueUrl(delivery: SqsDelivery): Promise<string> {
  const url = await secrets.textOf(delivery.queue);
  if (/^https?:\/\/[^/@]+\/./.test(url) && URL.canParse(url)) return url;
  throw new FreshetError("usage", "the queue's URL is not one", {
    found: "a text that is not shown",
    expected: "https://sqs.REGION.amazonaws.com/ACCOUNT/NAME",
    path: `sqs.queue: ${delivery.queue}`,
    remedy: "Correct the secret",
  });
}
