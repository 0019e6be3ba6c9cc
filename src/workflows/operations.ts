import { ActivityFailure, ApplicationFailure, condition, currentUpdateInfo, uuid4 } from "@temporalio/workflow";
import type { Operation, OperationResult } from "../contract/index.ts";
import { rootMessage } from "./root-message.ts";

type Results = readonly OperationResult[];

interface Waiting {
  readonly id: string;
  readonly operation: Operation;
  outcome?: { readonly results: Results } | { readonly failure: Error };
}

/** What operators asked for, in the order in which they did. */
export class OperationQueue {
  readonly #waiting: Waiting[] = [];

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Waits for its turn and for its end. For update handlers. @throws ApplicationFailure with the reason when it failed. */
  async ask(operation: Operation): Promise<Results> {
    const asked: Waiting = { id: currentUpdateInfo()?.id ?? uuid4(), operation };
    this.#waiting.push(asked);
    await condition(() => asked.outcome !== undefined);
    const { outcome } = asked as Required<Waiting>;
    if ("failure" in outcome) throw outcome.failure;
    return outcome.results;
  }

  /** Carries out all that wait, one after the other; what fails is told to who asked, and keeps nobody else back. */
  async carryOut(work: (id: string, operation: Operation) => Promise<Results>): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        next.outcome = { results: await work(next.id, next.operation) };
      } catch (error) {
        if (!(error instanceof ActivityFailure)) throw error;
        next.outcome = { failure: ApplicationFailure.nonRetryable(rootMessage(error), "refused") };
      }
    }
  }
}

const TEXTS = ["product", "reason", "by", "from", "to"] as const;

/** Refuses an operation that is not well formed before anything is recorded. */
export function checkOperation(kind: Operation["kind"]): (asked: unknown) => void {
  return (asked) => {
    if (asked === null || typeof asked !== "object")
      throw new Error(`${kind} takes an object, such as {"reason": "…", "by": "…"}`);
    const facts = asked as Readonly<Record<string, unknown>>;
    for (const name of TEXTS) {
      const value = facts[name];
      const isNumberAllowed = kind === "rollback" && name === "to";
      if (value === undefined || typeof value === "string" || (isNumberAllowed && Number.isInteger(value))) continue;
      throw new Error(`${kind}: ${name} is text, not ${JSON.stringify(value)}`);
    }
    if (kind === "rollback" && facts.to === undefined)
      throw new Error("rollback: to says which publication or version to show again");
    if ((kind === "rollback" || kind === "release") && typeof facts.reason !== "string")
      throw new Error(`${kind}: reason says why, for those who read the history`);
    if (kind === "change" && !Array.isArray(facts.rebuild)) throw new Error("change: rebuild lists products");
    const { limit } = facts;
    if (limit !== undefined && !(Number.isInteger(limit) && (limit as number) >= 1))
      throw new Error(`${kind}: limit is a whole number from 1`);
  };
}
