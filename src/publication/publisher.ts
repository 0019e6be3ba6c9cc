import type { DatasetReference, ProductTrouble, PublicationPlan, PublicationResult } from "../contract/index.ts";
import type { Dataset, TimeseriesProduct } from "../dataset/index.ts";
import { FreshetError, isFreshetError } from "../errors/index.ts";
import type { Ledger, Revision } from "../ledger/index.ts";
import { differenceOf, granulesOf, type LayoutRow, type StoredState, shapeTemplate, standingIn } from "../products/index.ts";
import type { ScanAddress, ScanStore } from "../scan/index.ts";
import { arrivalOf, readArrivals } from "./arrivals.ts";
import { granuleScans } from "./granule-scans.ts";
import { changeFor } from "./product-change.ts";
import { type ProductState, type ProductStores, readState } from "./product-store.ts";
import { publicationMessage } from "./publication-message.ts";
import { tellLedger } from "./tell-ledger.ts";
import type { Tick, Turn } from "./turn.ts";
import { verifyStaged } from "./verify-staged.ts";
import { wantedLayout } from "./wanted-layout.ts";

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
    const plans = await Promise.all(dataset.products.map((product) => this.#planOf(dataset, product)));
    return plans.filter((plan) => plan !== undefined);
  }

  /**
   * The same, with the reason for each product that cannot go on until somebody does something: it does not keep the others
   * back.
   * @throws FreshetError `storage`, `unreachable`: worth trying again as a whole.
   */
  async planOrTrouble(dataset: Dataset): Promise<(PublicationPlan | ProductTrouble)[]> {
    const plans = await Promise.all(
      dataset.products.map((product) =>
        this.#planOf(dataset, product).catch((error: unknown) => {
          if (!(error instanceof FreshetError) || isFreshetError(error, "storage", "unreachable")) throw error;
          return { product: product.name, trouble: (error as FreshetError).message };
        }),
      ),
    );
    return plans.filter((plan) => plan !== undefined);
  }

  async #planOf(dataset: Dataset, product: TimeseriesProduct): Promise<PublicationPlan | undefined> {
    return (await this.#turn(dataset, product, Number.MAX_SAFE_INTEGER))?.plan;
  }

  /**
   * Carries out a plan, or what is left of it to do.
   * @throws FreshetError `conflict` when the ledger or the store has moved on: the plan is void, make another.
   */
  async publish(reference: DatasetReference, dataset: Dataset, plan: PublicationPlan, tick: Tick): Promise<PublicationResult> {
    const product = dataset.products.find(({ name }) => name === plan.product);
    if (product === undefined)
      throw new FreshetError("conflict", "the dataset has no such product any more", { found: plan.product });
    const turn = await this.#turn(dataset, product, plan.cursor);
    if (turn === undefined) return this.#alreadyDone(dataset, plan);
    const isVisible = turn.plan.unchanged && isPublicationOf(plan, turn);
    if (!isVisible) requireSamePlan(turn.plan, plan);

    const version = isVisible || plan.unchanged ? turn.state.head : await this.#write(reference, dataset, product, turn, tick);
    tick("recording");
    const atMs = this.#parts.now();
    const granules = granulesOf(turn.placement.layout);
    const told = isVisible || plan.unchanged ? await this.#asStored(turn) : asPlanned(reference, turn);
    // What is written is the plan of this turn; an unchanged one says so.
    await tellLedger(this.#parts.ledger, dataset.name, turn.plan, turn, { version, atMs, granules, ...told });
    const changed = plan.added + plan.replaced + plan.removed;
    return { product: plan.product, sequence: plan.sequence, version, granules, changed, atMs };
  }

  async #write(
    reference: DatasetReference,
    dataset: Dataset,
    product: TimeseriesProduct,
    turn: Turn,
    tick: Tick,
  ): Promise<string> {
    const { plan, difference, template } = turn;
    const { store } = turn.state;
    if (template === undefined) throw new FreshetError("corrupt", "a publication without a granule to take its form from");
    tick("reading scans");
    const granules = await granuleScans(this.#parts.scans, template, difference, product, tick);
    const change = changeFor({ reference, dataset, product, plan, turn, granules });
    tick("writing");
    const message = publicationMessage(reference, plan, difference.changes);
    const version = await store.stage(plan.parent, change, message, () => tick("writing"));
    tick("verifying");
    await verifyStaged({ store, version, layout: turn.placement.layout, granules });
    tick("publishing");
    await store.publish(plan.parent, version);
    return version;
  }

  /**
   * The product's next turn, reading the ledger up to `cursor` (inclusive); undefined when there is nothing to do. What a
   * publication holds whose writer died before it told the ledger is a turn too, and comes first: it changes only the ledger.
   */
  async #turn(dataset: Dataset, product: TimeseriesProduct, cursor: number): Promise<Turn | undefined> {
    const { ledger, stores } = this.#parts;
    const state = await stores.open(dataset, product);
    const header = state.stored?.header;
    const reach = { afterSeq: header?.cursor ?? 0, upToSeq: cursor };
    const arrivals = await readArrivals(ledger, dataset, product, reach);
    const [latest] = await ledger.publications(dataset.name, product.name, 1);
    if (state.stored !== undefined && (latest?.sequence ?? 0) < state.stored.header.sequence)
      return untoldTurn(state, state.stored, arrivals, dataset, product);

    if (arrivals.length === 0) return undefined;
    const template = header?.template ?? (await this.#template(dataset, product, arrivals));
    if (template === undefined) return undefined;
    const steps = header?.steps ?? (await this.#stepsOf(template, product));
    const wanted = wantedLayout(state.stored, arrivals.map(arrivalOf), dataset, product, steps);
    const { placement, difference, hash } = wanted;
    const standing = standingIn(placement.layout);
    const isStanding = ({ key, identity, state: now }: Revision): boolean =>
      now !== "withdrawn" && standing.get(key) === identity;
    // A revision that was taken back and came again stands there already; only a new publication can have it as a member.
    const isUnchanged = difference.changes.length === 0 && difference.from === difference.to && !arrivals.some(isStanding);
    if (isUnchanged && !arrivals.some(({ state: now }) => now === "ready")) return undefined;
    const newest = arrivals.reduce((last, { changedSeq }) => Math.max(last, changedSeq), header?.cursor ?? 0);
    const plan: PublicationPlan = {
      product: product.name,
      sequence: (header?.sequence ?? 0) + (isUnchanged ? 0 : 1),
      parent: state.head,
      layoutHash: hash,
      cursor: Math.min(newest, cursor),
      added: difference.added,
      replaced: difference.replaced,
      removed: difference.removed,
      unchanged: isUnchanged,
    };
    return { state, plan, placement, difference, arrivals, template, isOnRecord: true };
  }

  /** The scan that gives a product its form that has none yet: the one that the gate measured by. */
  async #template(dataset: Dataset, product: TimeseriesProduct, arrivals: readonly Revision[]): Promise<ScanAddress | undefined> {
    const first = arrivals.find(({ scan, state }) => scan !== undefined && state !== "withdrawn");
    if (first?.scan === undefined) return undefined;
    const { key, identity, scan } = first;
    return (await this.#parts.ledger.establishTemplate(dataset.name, product.name, { key, identity, scan })).scan;
  }

  /** Steps in a granule. */
  async #stepsOf(template: ScanAddress, product: TimeseriesProduct): Promise<number> {
    const { root } = await this.#parts.scans.get(template);
    return shapeTemplate(root, { name: product.axis, dimension: product.dimension }).validMs.length;
  }

  /** What the stored publication said and did, for the ledger: its writer did not come to tell it. */
  async #asStored(turn: Turn): Promise<{ parent: string | undefined; message: string; displaced: readonly LayoutRow[] }> {
    const { store, stored } = turn.state;
    if (stored === undefined || turn.isOnRecord) return { parent: undefined, message: "", displaced: [] };
    const { parent } = stored.header;
    const before = await readState(store, parent);
    const standing = standingIn(stored.layout);
    const instants = new Set(stored.layout.rows.map((row) => row?.validMs));
    const displaced = before?.layout.rows.filter((row) => row !== null && !standing.has(row.key) && instants.has(row.validMs));
    const [version] = await store.versions(1);
    return { parent, message: version?.message ?? "", displaced: (displaced ?? []) as LayoutRow[] };
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
}

/** True when the published version is the one that the plan was to make: an earlier attempt got that far. */
function isPublicationOf(plan: PublicationPlan, { state }: Turn): boolean {
  const header = state.stored?.header;
  return header?.sequence === plan.sequence && header.parent === plan.parent && header.layoutHash === plan.layoutHash;
}

/** What is published and the ledger does not know: the revisions that it took in, by its own cursor. */
function untoldTurn(
  state: ProductState,
  stored: StoredState,
  waiting: readonly Revision[],
  dataset: Dataset,
  product: TimeseriesProduct,
): Turn {
  const { header, layout } = stored;
  const standing = standingIn(layout);
  const arrivals = waiting.filter(
    ({ key, identity, state: now, changedSeq }) =>
      now !== "withdrawn" && (changedSeq <= header.cursor || standing.get(key) === identity),
  );
  const { placement } = wantedLayout(stored, arrivals.map(arrivalOf), dataset, product, header.steps);
  return {
    state,
    plan: {
      product: product.name,
      sequence: header.sequence,
      parent: state.head,
      layoutHash: header.layoutHash,
      cursor: header.cursor,
      added: 0,
      replaced: 0,
      removed: 0,
      unchanged: true,
    },
    placement: { layout, rejected: placement.rejected, displaced: [] },
    difference: differenceOf(layout, layout),
    arrivals,
    template: undefined,
    isOnRecord: false,
  };
}

function requireSamePlan(now: PublicationPlan, plan: PublicationPlan): void {
  const idOf = ({ sequence, parent, layoutHash, unchanged }: PublicationPlan): string =>
    `#${sequence} on ${parent}, layout ${layoutHash}${unchanged ? ", unchanged" : ""}`;
  if (idOf(now) === idOf(plan)) return;
  throw new FreshetError("conflict", "the plan was overtaken", { found: idOf(now), expected: idOf(plan) });
}

function asPlanned(
  reference: DatasetReference,
  { plan, difference, placement }: Turn,
): { parent: string; message: string; displaced: readonly LayoutRow[] } {
  return {
    parent: plan.parent,
    message: publicationMessage(reference, plan, difference.changes),
    displaced: placement.displaced,
  };
}
