import type { DatasetReference } from "../contract/index.ts";
import type { Dataset } from "../dataset/index.ts";
import type { Tick } from "./turn.ts";

/** What an operation needs to know beside what was asked. */
export interface Request {
  /** Names the request: one that was carried out already is not carried out again. */
  readonly id: string;
  readonly reference: DatasetReference;
  readonly dataset: Dataset;
  readonly tick: Tick;
  readonly signal: AbortSignal;
}
