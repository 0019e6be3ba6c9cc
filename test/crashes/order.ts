import type { Step } from "../../src/steps/index.ts";

/**
 * What becomes of a worker, or of a server that it needs, when the worker is at a step. `dies`: the worker, by SIGKILL. `sleeps`: it
 * stands still, is taken for dead, and wakes beside its successor. The others: the worker stands still while the server is killed and
 * started again.
 */
export type Mishap = "dies" | "sleeps" | "temporal dies" | "postgres dies";

export interface Order {
  readonly step: Step;
  readonly mishap: Mishap;
  /** The how many-th time that the worker is at the step, from 1. */
  readonly time?: number;
  /** The act at whose end a worker that sleeps wakes. Default: the same. */
  readonly wakesAfter?: string;
}

/** What a worker's process is told. */
export type Instruction = { readonly order: Order | undefined } | { readonly end: true };
