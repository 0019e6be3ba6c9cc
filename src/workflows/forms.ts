import { ActivityFailure, CancellationScope, condition, isCancellation, proxyActivities } from "@temporalio/workflow";
import type { DatasetActivities, DatasetReference, FormState } from "../contract/index.ts";
import { rootMessage } from "./root-message.ts";

const { publishForms } = proxyActivities<DatasetActivities>({
  summary: "write the forms that are due",
  startToCloseTimeout: "24 hours",
  heartbeatTimeout: "1 minute",
  retry: { initialInterval: "1 second", maximumInterval: "1 minute" },
});

/** After a failure of all forms together. */
const AGAIN_MS = 60_000;

/** What a dataset's workflow says of it. */
interface FormsOf {
  readonly dataset: DatasetReference;
  readonly hasForms?: boolean | undefined;
}

/** Keeps the forms of the products up, beside the publications: neither waits for the other. */
export class FormsKeeper {
  readonly #of: () => FormsOf;
  readonly #scope = new CancellationScope();
  #keeping: Promise<void> = Promise.resolve();
  #isAwake = true;
  #states: readonly FormState[] = [];
  #failure = "";

  constructor(of: () => FormsOf) {
    this.#of = of;
  }

  /** How far each form was at the last look. */
  get states(): readonly FormState[] {
    return this.#states;
  }

  /** Why forms could not be written at the last look. */
  get troubles(): readonly string[] {
    const troubles = this.#states.filter(({ trouble }) => trouble !== "").map(({ product, trouble }) => `${product}: ${trouble}`);
    return this.#failure === "" ? troubles : [this.#failure, ...troubles];
  }

  start(): void {
    this.#keeping = this.#scope
      .run(() => this.#keep())
      .catch((error: unknown) => {
        if (!isCancellation(error)) throw error;
      });
  }

  /** There may be a version that no form shows. */
  wake(): void {
    this.#isAwake = true;
  }

  /** What is under way is left; whoever starts again begins with it. */
  async stop(): Promise<void> {
    this.#scope.cancel();
    await this.#keeping;
  }

  async #keep(): Promise<never> {
    for (;;) {
      const due = this.#dueInMs();
      const isAsked = (): boolean => this.#isAwake && this.#of().hasForms === true;
      // Without a form there is no timer either: nothing is added to the history.
      if (due === undefined) await condition(isAsked);
      else await condition(isAsked, due);
      this.#isAwake = false;
      try {
        this.#states = await publishForms(this.#of().dataset);
        this.#failure = "";
      } catch (error) {
        if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
        this.#failure = `forms: ${rootMessage(error)}`;
      }
    }
  }

  #dueInMs(): number | undefined {
    if (this.#of().hasForms !== true) return undefined;
    if (this.#failure !== "") return AGAIN_MS;
    const next = Math.min(...this.#states.map(({ dueMs }) => dueMs ?? Number.POSITIVE_INFINITY));
    return Number.isFinite(next) ? Math.max(1, next - Date.now()) : undefined;
  }
}
