import type { DatasetReference, PublicationPlan, PublicationResult } from "../contract/index.ts";
import type { Dataset, TimeseriesProduct } from "../dataset/index.ts";
import { FreshetError, isFreshetError } from "../errors/index.ts";
import type { Ledger, Member, Revision, RevisionEvent } from "../ledger/index.ts";
import { type Arrival, EMPTY_LAYOUT, granulesOf } from "../products/index.ts";
import type { ScanAddress, ScanStore } from "../scan/index.ts";
import { granuleScans } from "./granule-scans.ts";
import { changeFor } from "./product-change.ts";
import type { ProductStores } from "./product-store.ts";
import { publicationMessage } from "./publication-message.ts";
import type { Tick, Turn } from "./turn.ts";
import { verifyStaged } from "./verify-staged.ts";
import { wantedLayout } from "./wanted-layout.ts";

/** Revisions to a publication at most; what is left over comes with the next one. */
const MOST_ARRIVALS = 2_000;

export interface PublisherParts {
  readonly ledger: Ledger;
  readonly scans: ScanStore;
  readonly stores: ProductStores;
  readonly now: () => number;
}

/**
 * Turns what the ledger says is ready into a published version. `plan` only looks; `publish` does it. Both may run twice, at
 * any time, beside their own zombies: a publication is known by (product, sequence, parent, layout hash), and only the one
 * that finds its parent still published becomes visible.
 */
export class Publisher {
  readonly #parts: PublisherParts;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  /** What the next publication of each product would change; nothing for a product that is as it should be. */
  async plan(dataset: Dataset): Promise<PublicationPlan[]> {
    const plans: PublicationPlan[] = [];
    for (const product of dataset.products) {
      const turn = await this.#turn(dataset, product, Number.MAX_SAFE_INTEGER);
      if (turn !== undefined) plans.push(turn.plan);
    }
    return plans;
  }

  /**
   * Carries out a plan.
   * @throws FreshetError `conflict` when the ledger or the store has moved on: the plan is void, make another.
   */
  async publish(reference: DatasetReference, dataset: Dataset, plan: PublicationPlan, tick: Tick): Promise<PublicationResult> {
    const product = dataset.products.find(({ name }) => name === plan.product);
    if (product === undefined)
      throw new FreshetError("conflict", "the dataset has no such product any more", { found: plan.product });
    const turn = await this.#turn(dataset, product, plan.cursor);
    if (turn === undefined) return this.#alreadyDone(dataset, plan);
    if (turn.plan.parent !== plan.parent || turn.plan.layoutHash !== plan.layoutHash) {
      throw new FreshetError("conflict", "the plan was overtaken", { found: turn.plan.layoutHash, expected: plan.layoutHash });
    }
    let version = plan.parent;
    const { store } = turn.state;
    const message = publicationMessage(reference, plan, turn.difference.changes);
    if (!plan.unchanged) {
      tick("reading scans");
      const granules = await granuleScans(this.#parts.scans, await this.#template(dataset, turn), turn.difference, product, tick);
      const change = changeFor({ reference, dataset, product, plan, turn, granules });
      tick("writing");
      version = await store.stage(plan.parent, change, message, () => tick("writing"));
      tick("verifying");
      await verifyStaged({ store, version, layout: turn.placement.layout, granules });
      tick("publishing");
      await store.publish(plan.parent, version);
    }
    tick("recording");
    const atMs = this.#parts.now();
    const granules = granulesOf(turn.placement.layout);
    await this.#tellLedger(dataset, plan, turn, { version, atMs, granules, message });
    const changed = plan.added + plan.replaced + plan.removed;
    return { product: plan.product, sequence: plan.sequence, version, granules, changed, atMs };
  }

  /**
   * The product's next turn, reading the ledger up to `cursor` (inclusive); undefined when there is nothing to do. What a
   * publication holds whose writer died before it told the ledger is a turn too: one that changes only the ledger.
   */
  async #turn(dataset: Dataset, product: TimeseriesProduct, cursor: number): Promise<Turn | undefined> {
    const state = await this.#parts.stores.open(dataset, product);
    const header = state.stored?.header;
    const arrivals = await this.#arrivals(dataset, product, header?.cursor ?? 0, cursor);
    if (arrivals.length === 0) return undefined;
    const before = state.stored?.layout ?? EMPTY_LAYOUT;
    const { placement, difference, hash } = wantedLayout(before, arrivals.map(arrivalOf), dataset, product, header?.steps);
    const isUnchanged = difference.changes.length === 0 && difference.from === difference.to;
    if (isUnchanged && arrivals.every(({ state: now }) => now === "withdrawn")) return undefined;
    const plan: PublicationPlan = {
      product: product.name,
      sequence: (header?.sequence ?? 0) + (isUnchanged ? 0 : 1),
      parent: state.head,
      layoutHash: hash,
      cursor: arrivals.reduce((last, { changedSeq }) => Math.max(last, changedSeq), header?.cursor ?? 0),
      added: difference.added,
      replaced: difference.replaced,
      removed: difference.removed,
      unchanged: isUnchanged,
    };
    return { state, plan, placement, difference, arrivals };
  }

  /** What the product has not taken up yet, in the order in which the ledger heard of it. */
  async #arrivals(dataset: Dataset, product: TimeseriesProduct, after: number, upTo: number): Promise<Revision[]> {
    const { ledger } = this.#parts;
    const waiting = await ledger.unpublished(dataset.name, product.name);
    const withdrawn = (await ledger.readyAfter(dataset.name, after, MOST_ARRIVALS)).filter(({ state }) => state === "withdrawn");
    return [...waiting, ...withdrawn]
      .filter(({ changedSeq }) => changedSeq <= upTo)
      .sort((a, b) => a.changedSeq - b.changedSeq)
      .slice(0, MOST_ARRIVALS)
      .sort((a, b) => a.heardSeq - b.heardSeq);
  }

  /** The scan that gives the product its form: the one it was begun with, or the one the gate measured by. */
  async #template(dataset: Dataset, { state, arrivals, plan }: Turn): Promise<ScanAddress> {
    const stored = state.stored?.header.template;
    if (stored !== undefined) return stored;
    const first = arrivals.find(({ scan }) => scan !== undefined);
    if (first?.scan === undefined) throw new FreshetError("corrupt", "a first publication without a granule");
    const { key, identity, scan } = first;
    return (await this.#parts.ledger.establishTemplate(dataset.name, plan.product, { key, identity, scan })).scan;
  }

  async #alreadyDone(dataset: Dataset, plan: PublicationPlan): Promise<PublicationResult> {
    const done = (await this.#parts.ledger.publications(dataset.name, plan.product, 50)).find(
      (publication) => publication.sequence === plan.sequence && publication.layoutHash === plan.layoutHash,
    );
    if (done === undefined) throw new FreshetError("conflict", "the plan was overtaken", { expected: plan.layoutHash });
    const { sequence, snapshot, granules, atMs } = done;
    return {
      product: plan.product,
      sequence,
      version: snapshot,
      granules,
      changed: plan.added + plan.replaced + plan.removed,
      atMs,
    };
  }

  async #tellLedger(
    dataset: Dataset,
    plan: PublicationPlan,
    turn: Turn,
    published: { version: string; atMs: number; granules: number; message: string },
  ): Promise<void> {
    const { ledger } = this.#parts;
    const standing = new Map(turn.placement.layout.rows.flatMap((row) => (row === null ? [] : [[row.key, row.identity]])));
    const members: Member[] = turn.arrivals
      .filter(({ key, identity, state }) => (state === "ready" || state === "published" ? standing.get(key) === identity : false))
      .map(({ key, identity }) => ({ key, identity }));
    const { product, sequence, layoutHash } = plan;
    if (members.length > 0 || !plan.unchanged) {
      const publication = {
        dataset: dataset.name,
        product,
        sequence,
        snapshot: published.version,
        parent: plan.unchanged ? turn.state.stored?.header.parent : plan.parent,
        layoutHash,
        atMs: published.atMs,
        granules: published.granules,
        message: published.message,
      };
      await ledger.recordPublication(publication, members);
    }
    const rejected = new Map(
      turn.placement.rejected.map(({ arrival, reason }) => [`${arrival.key}\n${arrival.identity}`, reason]),
    );
    const events: RevisionEvent[] = [];
    for (const { key, identity, state } of turn.arrivals) {
      if (state !== "ready" || standing.get(key) === identity) continue;
      const reason = rejected.get(`${key}\n${identity}`);
      const verdict =
        reason === undefined
          ? ({ state: "superseded", reason: "a newer one took its place before it was published" } as const)
          : ({ state: "quarantined", reason } as const);
      events.push({ dataset: dataset.name, key, identity, ...verdict });
    }
    for (const { key, identity } of turn.placement.displaced) {
      events.push({
        dataset: dataset.name,
        key,
        identity,
        state: "superseded",
        reason: "another granule of the same time took its place",
      });
    }
    for (const event of events) {
      // What the ledger knows better by now stays as it is.
      await ledger.record(event).catch((error: unknown) => {
        if (!isFreshetError(error, "conflict")) throw error;
      });
    }
  }
}

function arrivalOf({ key, identity, state, fields, scan }: Revision): Arrival {
  const validMs = fields?.valid;
  if (typeof validMs !== "number" || scan === undefined) {
    throw new FreshetError("corrupt", "the ledger says that a revision is ready, but not when it is valid or where its scan is", {
      found: `${key} ${identity}`,
    });
  }
  return { key, identity, validMs, scan, state: state === "withdrawn" ? "withdrawn" : "ready" };
}
