import type { NotificationKind } from "../dataset/index.ts";
import type { DatasetReference } from "./granule.ts";

/** Something that others want to know. Plain data, free of secrets: it travels through Temporal. */
export interface Notification {
  /** Unique: who hears it twice knows it by this. */
  readonly id: string;
  readonly kind: NotificationKind;
  readonly dataset: string;
  /** What of the dataset: a product's version, a granule's key, a run. */
  readonly subject: string;
  /** When it happened, milliseconds since 1970. */
  readonly atMs: number;
  readonly data: Readonly<Record<string, string | number | boolean>>;
}

export interface NotificationInput {
  readonly dataset: DatasetReference;
  readonly notification: Notification;
}

/** A channel that is to be told: its place in the dataset file's list, and words that may be shown. */
export interface NotificationTarget {
  readonly index: number;
  readonly shown: string;
}

/** How the telling of one channel ended. */
export interface NotificationOutcome extends NotificationTarget {
  /** Why it was not told; undefined where it was. */
  readonly trouble: string | undefined;
}

export interface NotificationActivities {
  /** The channels that the dataset file names for this kind. */
  targets(dataset: DatasetReference, kind: NotificationKind): Promise<readonly NotificationTarget[]>;
  /** Tells one channel, once. */
  tell(dataset: DatasetReference, index: number, notification: Notification): Promise<void>;
}
