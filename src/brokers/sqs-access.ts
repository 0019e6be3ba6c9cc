import { SQSClient } from "@aws-sdk/client-sqs";
import type { SqsDelivery } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import { Redaction, secrets } from "../secrets/index.ts";
import { queueUrl } from "./sqs-queue-url.ts";

const CONNECT_MS = 5_000;
/** An answer may take as long as the poll; a server that is silent for longer is gone. */
const SILENCE_MS = 10_000;
const DEFAULT_REGION = "us-east-1";

/** A queue, ready to be asked. */
export interface SqsAccess {
  readonly client: SQSClient;
  readonly url: string;
  /** As the dataset file has it: may be shown. */
  readonly shown: string;
  readonly redaction: Redaction;
}

/**
 * The client for a queue; nothing is sent yet. Credentials are those that the AWS SDK finds in the environment of this process.
 * @throws FreshetError `usage` when a secret is not set, or is no URL; `unreachable` when who keeps it does not answer.
 */
export async function sqsAccess(delivery: SqsDelivery): Promise<SqsAccess> {
  const url = await queueUrl(delivery);
  const { hostname, origin } = new URL(url);
  const ofAws = hostname.endsWith(".amazonaws.com") || hostname.endsWith(".amazonaws.com.cn");
  const endpoint = delivery.endpoint === undefined ? (ofAws ? undefined : origin) : await secrets.textOf(delivery.endpoint);
  const client = new SQSClient({
    region: delivery.region ?? regionOf(hostname) ?? process.env.AWS_REGION ?? DEFAULT_REGION,
    ...(endpoint !== undefined && { endpoint }),
    // We try again ourselves, and say so.
    maxAttempts: 1,
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: SILENCE_MS, throwOnRequestTimeout: true },
  });
  const hidden = [delivery.queue, delivery.endpoint].filter((text) => text?.startsWith("${") === true);
  const values = await Promise.all(hidden.map((text) => secrets.textOf(text as string)));
  const redaction = new Redaction(values.flatMap(secretsOf));
  return { client, url, shown: delivery.queue, redaction };
}

/** Names under which services refuse for good: asking again would change nothing. */
const REFUSALS: readonly { readonly names: RegExp; readonly summary: string; readonly remedy: string }[] = [
  {
    names: /NonExistentQueue|QueueDoesNotExist|InvalidAddress/,
    summary: "there is no such queue",
    remedy: "Correct `sqs.queue` (and `region`) in the dataset file and apply it, or make the queue",
  },
  {
    names:
      /CredentialsProviderError|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidAccessKeyId|ExpiredToken/,
    summary: "the queue does not know who we are",
    remedy: "Give this process credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or a role",
  },
  {
    names: /AccessDenied|AuthFailure|OptInRequired|KMS\.|InvalidSecurity/,
    summary: "the queue refuses us",
    remedy:
      "Allow sqs:GetQueueAttributes, ReceiveMessage, DeleteMessage and ChangeMessageVisibility on it, GetQueueUrl and SendMessage on its dead-letter queue",
  },
];

/** The error to show when a service refuses for good; undefined when it is worth while to ask again. */
export function sqsRefusal(error: unknown, access: Pick<SqsAccess, "shown" | "redaction">): FreshetError | undefined {
  const { name, Code } = error as { name?: string; Code?: string };
  const refusal = REFUSALS.find(({ names }) => names.test(name ?? "") || names.test(Code ?? ""));
  if (refusal === undefined) return undefined;
  return new FreshetError("source-refused", refusal.summary, {
    found: access.redaction.of(error),
    uri: access.shown,
    remedy: refusal.remedy,
  });
}

/** `sqs.REGION.amazonaws.com`, and as it was before: `REGION.queue.amazonaws.com`. */
function regionOf(hostname: string): string | undefined {
  return (
    /^sqs(?:-fips)?\.([a-z0-9-]+)\.amazonaws\./.exec(hostname)?.[1] ?? /^([a-z0-9-]+)\.queue\.amazonaws\./.exec(hostname)?.[1]
  );
}

/** The whole URL and the parts of it that errors quote. */
function secretsOf(url: string): string[] {
  if (!URL.canParse(url)) return [url];
  const { host, hostname, pathname } = new URL(url);
  return [url, host, hostname, ...pathname.split("/")];
}
