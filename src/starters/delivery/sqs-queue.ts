import {
  type BatchResultErrorEntry,
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type Message,
  type MessageAttributeValue,
  ReceiveMessageCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import type { SqsAccess } from "../../brokers/index.ts";

/** SQS gives and takes no more at once. */
export const BATCH = 10;
/** What SQS allows, in seconds. */
const LONGEST_VISIBILITY_S = 43_200;
/**
 * A poll that is broken off takes the message that is on its way with it, until its visibility ends; so a stop waits for the poll. Short
 * enough to stop soon, long enough that an idle queue is asked some 30 000 times a day.
 */
const POLL_S = 3;
const MOST_ATTRIBUTES = 10;
const REASON_CHARACTERS = 1_000;
/** What SQS does not take in a text, as XML 1.0 does not: control characters, halves of pairs, two that are none. */
const NOT_IN_XML = /[\p{Cc}\p{Cs}\ufffe\uffff]/gu;

/** A message, received, with what is needed to speak of it again. */
export interface SqsMessage {
  readonly handle: string;
  readonly body: string;
  /** Attributes that are text. */
  readonly attributes: Readonly<Record<string, string>>;
  /** 1 the first time. */
  readonly receives: number;
  readonly received: Message;
}

/** One queue, in the terms of SQS: each operation is one request, or one for ten messages. What the SDK throws, it throws. */
export class SqsQueue {
  readonly #access: SqsAccess;
  readonly #visibilityS: number;

  constructor(access: SqsAccess, visibilityMs: number) {
    this.#access = access;
    this.#visibilityS = Math.min(Math.max(Math.ceil(visibilityMs / 1000), 1), LONGEST_VISIBILITY_S);
  }

  /** The name and account of the dead-letter queue; undefined where the queue has none. */
  async deadLetterQueue(): Promise<{ readonly name: string; readonly account: string } | undefined> {
    const { Attributes } = await this.#access.client.send(
      new GetQueueAttributesCommand({ QueueUrl: this.#access.url, AttributeNames: ["RedrivePolicy"] }),
    );
    const policy = Attributes?.RedrivePolicy;
    if (policy === undefined || policy === "") return undefined;
    const { deadLetterTargetArn } = JSON.parse(policy) as { deadLetterTargetArn?: string };
    const [account, name] = deadLetterTargetArn?.split(":").slice(-2) ?? [];
    return account === undefined || name === undefined ? undefined : { account, name };
  }

  /** The URL of a queue by its name. */
  async urlOf({ name, account }: { readonly name: string; readonly account: string }): Promise<string | undefined> {
    const { QueueUrl } = await this.#access.client.send(
      new GetQueueUrlCommand({ QueueName: name, QueueOwnerAWSAccountId: account }),
    );
    return QueueUrl;
  }

  /** Waits a few seconds for messages: ten at most, or none. */
  async receive(): Promise<readonly SqsMessage[]> {
    const { Messages = [] } = await this.#access.client.send(
      new ReceiveMessageCommand({
        QueueUrl: this.#access.url,
        MaxNumberOfMessages: BATCH,
        WaitTimeSeconds: POLL_S,
        VisibilityTimeout: this.#visibilityS,
        MessageAttributeNames: ["All"],
        MessageSystemAttributeNames: ["ApproximateReceiveCount", "MessageGroupId"],
      }),
    );
    return Messages.filter(({ ReceiptHandle }) => ReceiptHandle !== undefined).map(messageOf);
  }

  /** Deletes at most ten; answers those that were not deleted, with the service's reasons. */
  async delete(handles: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const Entries = handles.map((ReceiptHandle, index) => ({ Id: `${index}`, ReceiptHandle }));
    const { Failed } = await this.#access.client.send(new DeleteMessageBatchCommand({ QueueUrl: this.#access.url, Entries }));
    return failures(handles, Failed);
  }

  /** Keeps at most ten to ourselves for the whole visibility again, or with `release` gives them back at once. */
  async keep(handles: readonly string[], options: { readonly release?: boolean } = {}): Promise<ReadonlyMap<string, string>> {
    const VisibilityTimeout = options.release === true ? 0 : this.#visibilityS;
    const Entries = handles.map((ReceiptHandle, index) => ({ Id: `${index}`, ReceiptHandle, VisibilityTimeout }));
    const { Failed } = await this.#access.client.send(
      new ChangeMessageVisibilityBatchCommand({ QueueUrl: this.#access.url, Entries }),
    );
    return failures(handles, Failed);
  }

  /** Sends a copy to the dead-letter queue, with the reason as the attribute `FreshetReason`. */
  async sendTo(deadLetters: string, { received, body }: SqsMessage, reason: string): Promise<void> {
    const kept = Object.entries(received.MessageAttributes ?? {}).slice(0, MOST_ATTRIBUTES - 1);
    const text = reason.slice(0, REASON_CHARACTERS).replace(NOT_IN_XML, " ");
    const group = received.Attributes?.MessageGroupId;
    await this.#access.client.send(
      new SendMessageCommand({
        QueueUrl: deadLetters,
        MessageBody: body,
        MessageAttributes: {
          ...(Object.fromEntries(kept) as Record<string, MessageAttributeValue>),
          FreshetReason: { DataType: "String", StringValue: text || "malformed" },
        },
        // A queue that keeps an order has a dead-letter queue that does.
        ...(deadLetters.endsWith(".fifo") && {
          MessageGroupId: group ?? "malformed",
          MessageDeduplicationId: received.MessageId,
        }),
      }),
    );
  }
}

function messageOf(received: Message): SqsMessage {
  const texts = Object.entries(received.MessageAttributes ?? {}).flatMap(([name, { StringValue }]) =>
    StringValue === undefined ? [] : [[name, StringValue] as const],
  );
  return {
    handle: received.ReceiptHandle as string,
    body: received.Body ?? "",
    attributes: Object.fromEntries(texts),
    receives: Number(received.Attributes?.ApproximateReceiveCount ?? 1),
    received,
  };
}

function failures(handles: readonly string[], failed: readonly BatchResultErrorEntry[] = []): ReadonlyMap<string, string> {
  return new Map(
    failed.flatMap(({ Id, Code, Message }) => {
      const handle = handles[Number(Id)];
      return handle === undefined ? [] : [[handle, Message ?? Code ?? "no reason was given"] as const];
    }),
  );
}
