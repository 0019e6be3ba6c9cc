import type { Announcement } from "../contract/index.ts";

/** A message as its broker hands it over. */
export interface Message {
  readonly body: string | Uint8Array;
  /** Attributes (SQS, Pub/Sub) or headers (AMQP, HTTP), those that are text. */
  readonly attributes?: Readonly<Record<string, string>> | undefined;
  /** The routing key, or the topic. */
  readonly topic?: string | undefined;
}

/** What one message says about one granule; whom it comes from and when it was heard is for the starter to add. */
export type Told = Omit<Announcement, "by" | "heardMs"> & {
  /** Name of the one dataset that it is for; undefined: all that know the uri. */
  readonly only?: string | undefined;
};

/** The forms of messages that are told apart by their content. */
export type EnvelopeForm =
  | "s3-event"
  | "sns"
  | "eventbridge"
  | "pubsub"
  | "cmr"
  | "sarracenia-v02"
  | "sarracenia-v03"
  | "cloudevent"
  | "flat"
  | "freshet";

/** Every message ends as one of these. */
export type Reading =
  | {
      readonly kind: "read";
      readonly form: EnvelopeForm;
      readonly told: readonly Told[];
      /** Why parts of it are no announcements: a test event, a copy of a folder, blocks of a file. One sentence each. */
      readonly passedOver: readonly string[];
    }
  | { readonly kind: "malformed"; readonly reason: string };
