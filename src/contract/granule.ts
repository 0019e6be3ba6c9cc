/** A dataset file's content by name and hash: what a workflow was started with can always be read again. */
export interface DatasetReference {
  readonly name: string;
  /** sha256 of the canonical form, hexadecimal. */
  readonly hash: string;
}

/** Somebody says that a granule exists. Small, and free of secrets: it travels through Temporal. */
export interface Announcement {
  readonly uri: string;
  /** Who said so: `webhook`, `cli`, `listing`, … */
  readonly by: string;
  /** Milliseconds since 1970 when Freshet heard it. */
  readonly heardMs: number;
  /** What the announcement promises about the bytes, where it does. */
  readonly size?: number | undefined;
  readonly checksum?: { readonly algorithm: "md5" | "sha256" | "sha512"; readonly value: string } | undefined;
  /** The source says that it is gone. */
  readonly removed?: true | undefined;
  /** The granule's typed fields, where its name does not say them: as in `GranuleInput`. */
  readonly fields?: Readonly<Record<string, string | number>> | undefined;
  /** Whoever announces it asks for the publication himself. */
  readonly isQuiet?: true | undefined;
}

export interface GranuleInput {
  readonly dataset: DatasetReference;
  readonly key: string;
  /** Typed fields of the name: instants and durations in milliseconds, the rest as text or number. */
  readonly fields: Readonly<Record<string, string | number>>;
  /** Empty at the first start: announcements come by signal. Not empty after continue-as-new. */
  readonly waiting: readonly Announcement[];
  /** Before then, in milliseconds since 1970, nothing is done about it: its source may yet correct it. */
  readonly notBeforeMs?: number | undefined;
  /** How long a granule may be announced and absent, and how often one looks. Milliseconds. */
  readonly awaitFor: { readonly deadlineMs: number; readonly everyMs: number };
}

/** Where a granule is. The last five are ends. */
export type GranuleStage =
  | "announced"
  | "awaiting"
  | "scanning"
  | "recording"
  | "quarantined"
  | "ready"
  | "duplicate"
  | "skipped"
  | "withdrawn"
  | "failed";

/** The answer of the query `status`. */
export interface GranuleStatus {
  readonly stage: GranuleStage;
  readonly dataset: DatasetReference;
  readonly key: string;
  readonly uri: string | undefined;
  readonly identity: string | undefined;
  /** What it waits for or why it ended so, in words. */
  readonly reason: string;
  readonly announcements: number;
}

/** What an operator may decide about a granule in quarantine. */
export interface Decision {
  /** `accept`: the granule's form is right, and begins a new epoch of the dataset. */
  readonly action: "retry" | "skip" | "accept";
  /** Why; goes into the ledger. */
  readonly reason: string;
  /** Who decided. */
  readonly by: string;
}

export interface GranuleResult {
  readonly stage: Extract<GranuleStage, "ready" | "duplicate" | "skipped" | "withdrawn">;
  readonly identity: string;
  readonly reason: string;
}
