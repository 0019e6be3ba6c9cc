import { type Client, WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from "@temporalio/client";
import { SearchAttributeType, TypedSearchAttributes } from "@temporalio/common";
import { type Announcement, type GranuleInput, granuleWorkflowId, TASK_QUEUE } from "../contract/index.ts";
import { type Dataset, heldUntil, type Source } from "../dataset/index.ts";
import type { FlatRule } from "../envelopes/index.ts";
import type { Ledger, NameFields } from "../ledger/index.ts";
import { type RoutedGranule, Router } from "./routing.ts";
import { TrafficBook } from "./traffic-book.ts";

/** Temporal takes a signal in some 50 ms. Who announces must hear that it is down before he gives up waiting. */
const HELD_WITHIN_MS = 5_000;

/** One granule workflow that now knows of the announcement. */
export interface Announced {
  readonly dataset: string;
  readonly key: string;
  readonly workflowId: string;
}

export interface AnnounceOptions {
  /** Only to the dataset of this name. */
  readonly only?: string | undefined;
  /** 1 (first) to 5 (last); default: Temporal's, 3. */
  readonly priority?: number | undefined;
}

/**
 * Turns announcements into granule workflows. When `announce` resolves, Temporal holds the announcement: only then may
 * the one who brought it be told so.
 */
export class Announcer {
  /** Where starters count what matches and what does not. */
  readonly book: TrafficBook;
  readonly #client: Client;
  readonly #router: Router;

  constructor(client: Client, ledger: Ledger) {
    this.#client = client;
    this.#router = new Router(ledger);
    this.book = new TrafficBook(ledger);
  }

  /** Which granules of which datasets a uri is; nothing is started. */
  routes(uri: string, only?: string, told?: NameFields): Promise<RoutedGranule[]> {
    return this.#router.route(uri, only, told);
  }

  /** See `Router.messageRules`. */
  messageRules(isOf: (source: Source) => boolean | Promise<boolean>): Promise<FlatRule[]> {
    return this.#router.messageRules(isOf);
  }

  /** See `Router.sourceOf`. */
  sourceOf(uri: string): Promise<string | undefined> {
    return this.#router.sourceOf(uri);
  }

  /** The datasets in force. */
  datasets(): Promise<readonly Dataset[]> {
    return this.#router.datasets();
  }

  /** Signals, with start, the workflow of each granule that the uri is. None: nothing matches, and nothing was started. */
  async announce(announcement: Announcement, options: AnnounceOptions = {}): Promise<Announced[]> {
    const announced: Announced[] = [];
    for (const { dataset, hash, key, fields } of await this.#router.route(announcement.uri, options.only, announcement.fields)) {
      const workflowId = granuleWorkflowId(dataset.name, key);
      const input: GranuleInput = {
        dataset: { name: dataset.name, hash },
        key,
        fields,
        waiting: [],
        awaitFor: dataset.await,
        ...notBefore(heldUntil(dataset, fields, announcement.heardMs)),
      };
      const signalled = () =>
        this.#client.workflow.signalWithStart("granule", {
          workflowId,
          taskQueue: TASK_QUEUE,
          args: [input],
          signal: "announce",
          signalArgs: [announcement],
          ...(options.priority === undefined ? {} : { priority: { priorityKey: options.priority } }),
          workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
          workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
          typedSearchAttributes: new TypedSearchAttributes([
            { key: { name: "FreshetDataset", type: SearchAttributeType.KEYWORD }, value: dataset.name },
            { key: { name: "FreshetGranule", type: SearchAttributeType.KEYWORD }, value: key },
            { key: { name: "FreshetStage", type: SearchAttributeType.KEYWORD }, value: "announced" },
          ]),
          staticSummary: `granule ${key} of ${dataset.name}`,
        });
      await this.#client.withDeadline(Date.now() + HELD_WITHIN_MS, signalled);
      announced.push({ dataset: dataset.name, key, workflowId });
    }
    return announced;
  }
}

function notBefore(ms: number | undefined): Pick<GranuleInput, "notBeforeMs"> {
  return ms === undefined ? {} : { notBeforeMs: ms };
}
