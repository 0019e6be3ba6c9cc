import type { Generated } from "kysely";

/**
 * The tables as Kysely sees them. Only text and integers: booleans would be 0 and 1, times are milliseconds since 1970,
 * JSON is text. Every statement of the ledger runs on SQLite and on PostgreSQL.
 */
export interface Tables {
  ledger_schema: SchemaTable;
  dataset_clocks: DatasetClockTable;
  events: EventTable;
  revisions: RevisionTable;
  publications: PublicationTable;
  publication_members: PublicationMemberTable;
  dataset_files: DatasetFileTable;
  current_datasets: CurrentDatasetTable;
  templates: TemplateTable;
  source_observations: SourceObservationTable;
  state_counts: StateCountTable;
  traffic: TrafficTable;
  unmatched_names: UnmatchedNameTable;
  alarms: AlarmTable;
  given_up_runs: GivenUpRunTable;
}

/** One row for each migration that has run. */
export interface SchemaTable {
  version: number;
  name: string;
  applied_ms: number;
}

/**
 * Number and time of the last event of each dataset. A writer takes the row first, which puts the writers of a dataset in
 * one line: numbers become visible in their order, and a reader's cursor never passes over a row.
 */
export interface DatasetClockTable {
  dataset: string;
  last_seq: number;
  last_ms: number;
}

/** Append-only. The truth that `revisions` is the fold of. */
export interface EventTable {
  dataset: string;
  seq: number;
  key: string;
  identity: string;
  state: string;
  reason: string;
  at_ms: number;
  /** JSON: `RevisionFacts` that the event brought. */
  facts: string;
  /** JSON. */
  detail: string;
  /** Tells a repeat from a step: hash of state, reason, facts and detail. */
  digest: string;
  once: string | null;
  product: string | null;
  sequence: number | null;
}

/** Current state of each revision. */
export interface RevisionTable {
  dataset: string;
  key: string;
  identity: string;
  state: string;
  reason: string;
  uri: string | null;
  size: number | null;
  etag: string | null;
  last_modified_ms: number | null;
  /** JSON: `NameFields`. */
  fields: string | null;
  scan_uri: string | null;
  scan_sha256: string | null;
  heard_ms: number;
  heard_seq: number;
  changed_ms: number;
  changed_seq: number;
  published_product: string | null;
  published_sequence: number | null;
  epoch: number | null;
}

export interface PublicationTable {
  dataset: string;
  product: string;
  sequence: number;
  snapshot: string;
  parent: string | null;
  layout_hash: string;
  at_ms: number;
  granules: number;
  message: string;
  kind: Generated<string>;
}

/** Which revisions each publication wrote. */
export interface PublicationMemberTable {
  dataset: string;
  product: string;
  sequence: number;
  key: string;
  identity: string;
}

/** Canonical dataset files by hash; never changed. */
export interface DatasetFileTable {
  name: string;
  hash: string;
  text: string;
}

/** Which of them is in force. */
export interface CurrentDatasetTable {
  name: string;
  hash: string;
  applied_ms: number;
}

/** The granule that each product measures all others of an epoch by. */
export interface TemplateTable {
  dataset: string;
  product: string;
  epoch: number;
  key: string;
  identity: string;
  scan_uri: string;
  scan_sha256: string;
  at_ms: number;
}

/** What was last seen of each revision's bytes at their source, where that was not as it should be at some time. */
export interface SourceObservationTable {
  dataset: string;
  key: string;
  identity: string;
  state: string;
  found: string;
  /** Ledger time of the first observation of this state in a row. */
  since_ms: number;
  /** When the observer looked, by its own clock: an older observation does not go before a newer one. */
  observed_ms: number;
}

/** How many revisions are in each state; kept with `revisions` in the same transaction. */
export interface StateCountTable {
  dataset: string;
  state: string;
  count: number;
}

/** What each source has brought, by the way it came. */
export interface TrafficTable {
  source: string;
  via: string;
  matched: number;
  unmatched: number;
  passed_over: number;
  malformed: number;
  /** When something matched last; 0: never. */
  matched_ms: number;
  unmatched_ms: number;
}

/** Names that no dataset knew: the last ones of each source. */
export interface UnmatchedNameTable {
  source: string;
  name: string;
  via: string;
  reason: string;
  count: number;
  first_ms: number;
  last_ms: number;
}

/** Runs that somebody has given up. */
export interface GivenUpRunTable {
  dataset: string;
  run_ms: number;
  reason: string;
  by: string;
  /** 1: what has come of it and is not published stays out. */
  leave: number;
  at_ms: number;
}

/** Alarms, open and ended. */
export interface AlarmTable {
  dataset: string;
  kind: string;
  subject: string;
  raised_ms: number;
  text: string;
  /** Since when what it says holds. */
  since_ms: number;
  ended_ms: number | null;
}
