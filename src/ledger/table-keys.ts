import type { Tables } from "./tables.ts";

/** Every table that a ledger's content is in, with its primary key. */
export const TABLE_KEYS = {
  dataset_clocks: ["dataset"],
  events: ["dataset", "seq"],
  revisions: ["dataset", "key", "identity"],
  state_counts: ["dataset", "state"],
  publications: ["dataset", "product", "sequence"],
  publication_members: ["dataset", "product", "key", "sequence", "identity"],
  dataset_files: ["name", "hash"],
  current_datasets: ["name"],
  templates: ["dataset", "product", "epoch"],
  source_observations: ["dataset", "key", "identity"],
  traffic: ["source", "via"],
  unmatched_names: ["source", "name"],
  alarms: ["dataset", "kind", "subject", "raised_ms"],
  given_up_runs: ["dataset", "run_ms"],
} as const satisfies Readonly<Record<Exclude<keyof Tables, "ledger_schema">, readonly string[]>>;

export type LedgerTable = keyof typeof TABLE_KEYS;

export const LEDGER_TABLES = Object.keys(TABLE_KEYS) as readonly LedgerTable[];
