import { z } from "zod";
import { NOTIFICATION_KINDS, type NotifyChannel, type NotifyTarget } from "./dataset.ts";
import { list, mapping, written } from "./mapping.ts";
import { broker, region, secret, service, topic } from "./source-schema.ts";

const kind = z.enum(NOTIFICATION_KINDS, { error: NOTIFICATION_KINDS.join(", ") });
const arn = written("arn:aws:sns:REGION:ACCOUNT:NAME, or a secret by name", (text) =>
  /^(arn:[a-z-]+:sns:[^\s]{1,300}|\$\{.+\})$/.test(text),
);
const repository = written("owner/name", (text) => /^[A-Za-z0-9-]{1,39}\/[A-Za-z0-9._-]{1,100}$/.test(text));
const eventType = written("a text of at most 100 characters", (text) => /^[^\s]{1,100}$/.test(text));

const CHANNELS = ["webhook", "sns", "sqs", "amqp", "github"] as const;

/** `notify`: who is told what, by one channel each. */
export const notifySchema = mapping({
  when: z
    .union([kind, list(kind, NOTIFICATION_KINDS.join(", "))], { error: NOTIFICATION_KINDS.join(", ") })
    .describe("What is told."),
  webhook: mapping({
    url: service.describe("Where the CloudEvent is POSTed."),
    token: secret.optional().describe("Sent as bearer token."),
    hmac: secret.optional().describe("Signs the body: X-Hub-Signature-256."),
  })
    .optional()
    .describe("An address that takes CloudEvents."),
  sns: mapping({
    topic: arn.describe("The topic's ARN."),
    region: region.optional().describe("Default: the ARN's."),
    endpoint: service.optional().describe("A service that is not AWS."),
  })
    .optional()
    .describe("A topic of Amazon SNS."),
  sqs: mapping({
    queue: service.describe("The queue's URL."),
    region: region.optional().describe("Default: the one that the URL names."),
    endpoint: service.optional().describe("A service that is not AWS."),
  })
    .optional()
    .describe("A queue of Amazon SQS."),
  amqp: mapping({
    broker: broker.describe("Where the broker is."),
    user: secret.optional().describe("Default: anonymous."),
    password: secret.optional(),
    exchange: topic.describe("The exchange; it is not made."),
    key: topic.optional().describe("The routing key. Default: freshet.DATASET.KIND."),
  })
    .optional()
    .describe("An exchange of an AMQP broker."),
  github: mapping({
    repository: repository.describe("owner/name."),
    event: eventType.describe("The type of the repository dispatch event."),
    token: secret.describe("A token that may write the repository's contents."),
    endpoint: service.optional().describe("An API that is not github.com's."),
  })
    .optional()
    .describe("A repository whose workflows are started."),
}).superRefine((target, context) => {
  const given = CHANNELS.filter((channel) => target[channel] !== undefined);
  if (given.length === 1 || context.issues.length > 0) return;
  const found = given.length === 0 ? "none" : given.join(" and ");
  context.addIssue({ code: "custom", message: `one of ${CHANNELS.join(", ")}`, params: { found } });
});

export type NotifyInput = z.infer<typeof notifySchema>;

/** The target that a checked entry declares. */
export function completeNotify({ when, ...channels }: NotifyInput): NotifyTarget {
  const [entry] = Object.entries(channels).filter(([, settings]) => settings !== undefined);
  const [name, settings] = entry as [NotifyChannel["kind"], object];
  return { when: [...new Set([when].flat())].sort(), channel: { kind: name, ...settings } as NotifyChannel };
}
