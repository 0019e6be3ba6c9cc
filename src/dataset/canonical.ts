import { canonicalJson, digestOf } from "../ledger/index.ts";
import { withNewDefaults } from "./complete.ts";
import type { Dataset } from "./dataset.ts";

/** A dataset as the ledger keeps it. */
export interface CanonicalDataset {
  readonly name: string;
  /** Hex SHA-256 of `text`. */
  readonly hash: string;
  /** JSON with sorted keys. */
  readonly text: string;
}

/** The form that the hash is of: comments, layout, the order of keys and spelled-out defaults make no difference. */
export function canonicalDataset(dataset: Dataset): CanonicalDataset {
  return { name: dataset.name, hash: digestOf(dataset), text: canonicalJson(dataset) };
}

/** The dataset of a canonical text that the ledger gave back. */
export function datasetOfText(text: string): Dataset {
  return withNewDefaults(JSON.parse(text) as Dataset);
}
