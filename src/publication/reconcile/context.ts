import type { Announcement, Deviation } from "../../contract/index.ts";
import { type Dataset, granuleTimeOf, type NameReader } from "../../dataset/index.ts";
import type { Ledger, NameFields } from "../../ledger/index.ts";
import type { ScanStore } from "../../scan/index.ts";

/** What the parts of a reconciliation work with. */
export interface ReconcileContext {
  readonly ledger: Ledger;
  readonly scans: ScanStore;
  readonly dataset: Dataset;
  readonly names: NameReader;
  /** Valid times, both ends inclusive, milliseconds since 1970. */
  readonly span: { readonly fromMs: number | undefined; readonly toMs: number | undefined };
  /** Something is done about what differs. */
  readonly act: boolean;
  /** Announces to this dataset. */
  readonly announce: (announcement: Announcement) => Promise<void>;
  readonly signal: AbortSignal;
  readonly onProgress: (done: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What a part has found. */
export class Findings {
  readonly deviations: Deviation[] = [];
  readonly notes: string[] = [];
  compared = 0;
  silent = 0;
  /** Something waits that only a publication can settle. */
  isToPublish = false;
  readonly #context: ReconcileContext;

  constructor(context: ReconcileContext) {
    this.#context = context;
  }

  /** Notes a deviation about which nothing can be done here. */
  report(deviation: Deviation): void {
    this.deviations.push(deviation);
  }

  /** Notes a deviation, and announces its place where something is to be done. */
  async announced(deviation: Deviation & { readonly uri: string }, fields?: NameFields): Promise<void> {
    const { act, announce, now } = this.#context;
    const isRemoved = deviation.kind === "withdrawn";
    if (act) await announce({ uri: deviation.uri, by: "reconcile", heardMs: now(), fields, ...(isRemoved && { removed: true }) });
    this.deviations.push(act ? { ...deviation, done: isRemoved ? "announced as removed" : "announced" } : deviation);
  }

  /** Notes a deviation that a publication settles, and asks for one where something is to be done. */
  published(deviation: Deviation): void {
    const { act } = this.#context;
    if (act) this.isToPublish = true;
    this.deviations.push(act ? { ...deviation, done: "publication asked for" } : deviation);
  }
}

/** Whether granules with these fields are looked at: those whose names do not say when they are valid always are. */
export function isInSpan(context: Pick<ReconcileContext, "span" | "dataset">, fields: NameFields | undefined): boolean {
  const validMs = fields === undefined ? undefined : granuleTimeOf(context.dataset, fields);
  return validMs === undefined || isValidInSpan(context, validMs);
}

/** Whether what is valid at that time, milliseconds since 1970, is looked at. */
export function isValidInSpan({ span }: Pick<ReconcileContext, "span">, validMs: number): boolean {
  return validMs >= (span.fromMs ?? Number.NEGATIVE_INFINITY) && validMs <= (span.toMs ?? Number.POSITIVE_INFINITY);
}
