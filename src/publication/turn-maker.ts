import type { PublicationPlan } from "../contract/index.ts";
import type { Dataset, Product } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import type { Ledger, Publication, Revision } from "../ledger/index.ts";
import {
  firstKept,
  type LayoutRow,
  type PublicationKind,
  productHash,
  type ReadyArrival,
  rowPlace,
  type StateHeader,
  type StoredState,
  slotMeaning,
  standingRow,
  templateFor,
  withoutDropped,
} from "../products/index.ts";
import type { ScanAddress, ScanStore } from "../scan/index.ts";
import { arrivalOf, type EpochArrival, readArrivals, readStanding } from "./arrivals.ts";
import { standingPlaces, whyExpired } from "./expire.ts";
import { keptBack, leftRuns, withoutKept } from "./kept-back.ts";
import { type ProductState, type ProductStores, readState } from "./product-store.ts";
import type { Tick, Turn } from "./turn.ts";
import {
  countsOf,
  type EpochForm,
  formIn,
  isAsStored,
  type Wanted,
  type WantedEpoch,
  wantedAgain,
  wantedProduct,
} from "./wanted.ts";
import { withoutGone } from "./without-gone.ts";

export interface TurnParts {
  readonly ledger: Ledger;
  readonly scans: ScanStore;
  readonly stores: ProductStores;
  readonly now: () => number;
}

/** Makes the turns of products: what is to be published next, or again, or anew. It changes nothing. */
export class TurnMaker {
  readonly #parts: TurnParts;

  constructor(parts: TurnParts) {
    this.#parts = parts;
  }

  /**
   * The product's next turn, reading the ledger up to `cursor` (inclusive); undefined when there is nothing to do. What a
   * publication holds whose writer died before it told the ledger is a turn too, and comes first: it changes only the ledger.
   * @throws FreshetError `held` while an operator holds the product; `corrupt` when store and ledger contradict each other.
   */
  async next(dataset: Dataset, product: Product, cursor = Number.MAX_SAFE_INTEGER): Promise<Turn | undefined> {
    const { ledger, stores } = this.#parts;
    const state = await stores.open(dataset, product);
    const header = state.stored?.header;
    const [latest] = await ledger.publications(dataset.name, product.name, 1);
    if (state.stored !== undefined && isUntold(state.stored.header, latest)) return this.untold(dataset, product, state);
    requireAgreement(state, latest);
    if (header?.hold !== undefined) throw heldError(header);

    // What is recorded while this looks would make a run whole of which not everything is among the arrivals.
    const known = await ledger.lastSeq(dataset.name);
    const reach = { afterSeq: await this.#readFrom(dataset, header?.cursor ?? 0), upToSeq: Math.min(cursor, known) };
    const kept = keptBack(ledger, dataset, { upToSeq: known, nowMs: this.#parts.now() });
    const { arrivals, lastSeq, isCut } = await readArrivals(ledger, dataset.name, state.stored, reach, kept);
    if (arrivals.length === 0) return undefined;
    const wanted = await this.#wanted(dataset, product, state, arrivals, false);
    // A revision that was taken back and came again stands there already; only a new publication can have it as a member.
    const isBack = ({ key, identity, state: now }: Revision): boolean =>
      now === "ready" && standingRow(state.stored, key)?.identity === identity;
    const unchanged = isAsStored(wanted.epochs) && !arrivals.some(isBack);
    if (unchanged && !arrivals.some(({ state: now }) => now === "ready")) return undefined;
    const plan = planOf(product, state, wanted, { kind: "publication", cursor: lastSeq, unchanged, latest });
    return { state, plan: isCut ? { ...plan, isCut } : plan, wanted, arrivals, isOnRecord: true };
  }

  /**
   * The number in the ledger from which (exclusive) a product reads on: its cursor, unless that counts the events of another ledger,
   * which this one was rebuilt from the store for: then everything is looked at once more.
   */
  async #readFrom({ name }: Dataset, cursor: number): Promise<number> {
    const { ledger } = this.#parts;
    if ((await ledger.lastSeq(name)) < cursor) return 0;
    const [oldest] = await ledger.unpublished(name, undefined, 1);
    return oldest !== undefined && oldest.changedSeq <= cursor ? 0 : cursor;
  }

  /** What is left to do of a publication that readers see and the ledger does not know; undefined where it does. */
  async leftOver(dataset: Dataset, product: Product): Promise<Turn | undefined> {
    const { ledger, stores } = this.#parts;
    const state = await stores.open(dataset, product);
    const [latest] = await ledger.publications(dataset.name, product.name, 1);
    if (state.stored === undefined || !isUntold(state.stored.header, latest)) return undefined;
    return this.untold(dataset, product, state);
  }

  /** What is published and the ledger does not know: the revisions that it took in, by its own cursor. */
  async untold(dataset: Dataset, product: Product, state: ProductState): Promise<Turn> {
    const stored = state.stored as NonNullable<ProductState["stored"]>;
    const { header, epochs } = stored;
    const standing = await readStanding(this.#parts.ledger, dataset.name, () => undefined);
    const isThere = ({ key, identity }: Revision): boolean => standingRow(stored, key)?.identity === identity;
    const isHeld = header.hold !== undefined;
    const isAnew = header.kind === "release" || header.kind === "rebuild";
    // What another product has published already is a member too; what is written anew has every granule as one.
    const candidates = isAnew ? standing : await this.#parts.ledger.unpublished(dataset.name, product.name);
    // What was kept back is not in it either; it is as ready as before.
    const isLeft = ({ state: now, changedSeq }: Revision): boolean =>
      now === "ready" && changedSeq <= header.cursor && dataset.runs?.publish !== "when-complete";
    const arrivals = candidates.filter((revision) => !isHeld && (isThere(revision) || isLeft(revision)));
    // The ledger says that they are in this product; readers do not see them any more.
    const left = standing.filter(
      (revision) =>
        !isHeld &&
        revision.state === "published" &&
        revision.published?.product === product.name &&
        revision.changedSeq <= header.cursor &&
        !isThere(revision),
    );
    const { rejected, refused } = await this.#wanted(dataset, product, state, arrivals, false);
    const asStored = epochs.map((epoch) => ({
      epoch: epoch.header.epoch,
      stored: epoch,
      layout: epoch.layout,
      difference: { changes: [], from: epoch.layout.slots, to: epoch.layout.slots, added: 0, replaced: 0, removed: 0 },
      template: epoch.header.template,
      steps: epoch.header.steps,
    }));
    const plan: PublicationPlan = {
      product: product.name,
      kind: header.kind,
      sequence: header.sequence,
      parent: state.head,
      layoutHash: header.layoutHash,
      cursor: header.cursor,
      added: 0,
      replaced: 0,
      removed: 0,
      unchanged: true,
    };
    return { state, plan, wanted: { epochs: asStored, rejected, refused, displaced: [], left }, arrivals, isOnRecord: false };
  }

  /** The layout of an earlier version again, without what is known to be readable no more. @throws FreshetError `usage` for a version that is not one of the product's. */
  async again(dataset: Dataset, product: Product, version: string): Promise<Turn> {
    const state = await this.#parts.stores.open(dataset, product);
    const earlier = await readState(state.store, version);
    if (state.stored === undefined || earlier === undefined)
      throw new FreshetError("usage", "this version holds nothing that could be shown again", { found: version });
    requireSameMeaning(earlier, slotMeaning(dataset, product), version);
    const { shown, left } = await withoutGone(this.#parts.ledger, dataset.name, earlier);
    const wanted = wantedAgain(product, state.stored, shown);
    const [latest] = await this.#parts.ledger.publications(dataset.name, product.name, 1);
    const { cursor } = state.stored.header;
    const plan = planOf(product, state, wanted, { kind: "rollback", cursor, unchanged: false, latest });
    return { state, plan, wanted, arrivals: [], isOnRecord: true, notes: left };
  }

  /** Where the product stands. */
  stateOf(dataset: Dataset, product: Product): Promise<ProductState> {
    return this.#parts.stores.open(dataset, product);
  }

  /** The same granules in the same slots, by other scans, by epoch and slot; they are written even where the scans are equal. */
  async overwrite(dataset: Dataset, product: Product, fresh: ReadonlyMap<number, ReadonlyMap<number, LayoutRow>>): Promise<Turn> {
    const state = await this.#parts.stores.open(dataset, product);
    const epochs = (state.stored?.epochs ?? []).map((stored): WantedEpoch => {
      const { epoch, template, steps } = stored.header;
      const rows = fresh.get(epoch) ?? new Map<number, LayoutRow>();
      const { slots } = stored.layout;
      const layout = stored.layout.with(rows, slots);
      const changes = [...rows].map(([slot, row]) => ({ slot, row }));
      const difference = { changes, from: slots, to: slots, added: 0, replaced: rows.size, removed: 0 };
      return { epoch, stored, layout, difference, ...formIn(product, layout, { template, steps }) };
    });
    const wanted = { epochs, rejected: [], refused: [], displaced: [], left: [] };
    const [latest] = await this.#parts.ledger.publications(dataset.name, product.name, 1);
    const cursor = state.stored?.header.cursor ?? 0;
    const plan = planOf(product, state, wanted, { kind: "overwrite", cursor, unchanged: false, latest });
    return { state, plan, wanted, arrivals: [], isOnRecord: true };
  }

  /** Everything that the ledger wants there, whatever stands there now; of all that, the first `limit` granules by valid time. */
  async anew(
    dataset: Dataset,
    product: Product,
    kind: "release" | "rebuild",
    tick: Tick,
    limit = Number.POSITIVE_INFINITY,
  ): Promise<Turn> {
    const { ledger, stores } = this.#parts;
    const state = await stores.open(dataset, product);
    const cursor = await ledger.lastSeq(dataset.name);
    const standing = await readStanding(ledger, dataset.name, () => tick("reading the ledger"));
    const all = await withoutKept(standing, keptBack(ledger, dataset, { upToSeq: cursor, nowMs: this.#parts.now() }));
    const arrivals = all.length <= limit ? all : firstByTime(all, limit);
    const wanted = await this.#wanted(dataset, product, state, arrivals, true);
    const [latest] = await ledger.publications(dataset.name, product.name, 1);
    const plan = planOf(product, state, wanted, { kind, cursor, unchanged: false, latest });
    return { state, plan, wanted, arrivals, isOnRecord: true, isFresh: kind === "rebuild" };
  }

  /**
   * These revisions alone, in a store of the product's own that nobody has written to, as if they were its publication of this number.
   * @throws FreshetError `usage` for a store that holds something.
   */
  async alone(dataset: Dataset, product: Product, revisions: readonly Revision[], sequence: number): Promise<Turn> {
    const state = await this.#parts.stores.open(dataset, product);
    if (state.stored !== undefined)
      throw new FreshetError("usage", "the store holds something already", { found: product.store, expected: "a new one" });
    const wanted = await this.#wanted(dataset, product, state, revisions, true);
    const plan = planOf(product, state, wanted, { kind: "rebuild", cursor: 0, unchanged: false, latest: undefined });
    return { state, plan: { ...plan, sequence }, wanted, arrivals: revisions, isOnRecord: true, isFresh: true };
  }

  async #wanted(
    dataset: Dataset,
    product: Product,
    { stored }: ProductState,
    arrivals: readonly Revision[],
    isAnew: boolean,
  ): Promise<Wanted> {
    const placed = arrivals.map((revision) => {
      const arrival = arrivalOf(revision, product);
      return isAnew ? withStandingScan(arrival, stored) : arrival;
    });
    const formOf = (epoch: number): Promise<EpochForm> => this.#form(dataset, product, epoch, arrivals);
    // What stands already leaves by a decision of its own, when the stores are tidied.
    const front = isAnew ? undefined : firstKept(product, standingPlaces(stored), this.#parts.now());
    const whyLeft = isAnew ? () => undefined : await leftRuns(this.#parts.ledger, dataset, product);
    const refusal = (arrival: ReadyArrival): string | undefined =>
      arrival.misfit === undefined ? (whyExpired(product, rowPlace(arrival), front) ?? whyLeft(arrival)) : undefined;
    return wantedProduct(stored, placed, { dataset, product, isAnew, refusal }, formOf);
  }

  /** The scan that gives an epoch its form that has none yet: the one that the gate measured by. */
  async #form(dataset: Dataset, product: Product, epoch: number, arrivals: readonly Revision[]): Promise<EpochForm> {
    const { ledger, scans } = this.#parts;
    const first = arrivals.find(
      ({ scan, state, epoch: of }) => scan !== undefined && state !== "withdrawn" && (of ?? 1) === epoch,
    );
    if (first?.scan === undefined)
      throw new FreshetError("corrupt", "an epoch has no granule to take its form from", { found: `epoch ${epoch}` });
    const { key, identity, scan } = first;
    const template: ScanAddress = (await ledger.establishTemplate(dataset.name, product.name, { key, identity, scan }, epoch))
      .scan;
    const root = withoutDropped((await scans.get(template)).root, dataset.scan.drop);
    const { validMs } = templateFor(product, root);
    return { template, steps: validMs.length };
  }
}

/** The first granules by valid time, in the order given. */
function firstByTime(revisions: readonly Revision[], count: number): Revision[] {
  const timeOf = ({ fields }: Revision): number => Number(fields?.valid ?? 0);
  const chosen = new Set([...revisions].sort((a, b) => timeOf(a) - timeOf(b)).slice(0, count));
  return revisions.filter((revision) => chosen.has(revision));
}

/** A granule that was scanned anew stays as it stands: the ledger knows its first scan. */
function withStandingScan({ arrival, epoch }: EpochArrival, stored: ProductState["stored"]): EpochArrival {
  if (arrival.state === "withdrawn") return { arrival, epoch };
  const row = standingRow(stored, arrival.key);
  if (row === undefined || row.identity !== arrival.identity) return { arrival, epoch };
  return { arrival: { ...arrival, scan: row.scan }, epoch };
}

function planOf(
  product: Product,
  { head, stored }: ProductState,
  wanted: Wanted,
  how: {
    readonly kind: PublicationKind;
    readonly cursor: number;
    readonly unchanged: boolean;
    readonly latest: Publication | undefined;
  },
): PublicationPlan {
  const { kind, cursor, unchanged, latest } = how;
  const hashes = wanted.epochs.map(({ epoch, layout }) => ({ epoch, layoutHash: layout.hash }));
  const before = Math.max(stored?.header.sequence ?? 0, latest?.sequence ?? 0);
  return {
    product: product.name,
    kind,
    sequence: before + (unchanged ? 0 : 1),
    parent: head,
    layoutHash: productHash(hashes),
    cursor,
    ...countsOf(wanted.epochs),
    unchanged,
  };
}

/** Slots of a version that was made by another calendar, or by other runs and leads, stand for something else now. */
function requireSameMeaning({ epochs }: StoredState, meaning: string, version: string): void {
  const other = epochs.find(({ header }) => header.calendar !== meaning);
  if (other === undefined) return;
  throw new FreshetError(
    "usage",
    "this version was made by another calendar, or other runs and leads, than the dataset file has",
    {
      found: `${version}: ${other.header.calendar}`,
      expected: meaning,
      remedy: "Apply the dataset file that it was made by, which rebuilds the product, or go back to a later version",
    },
  );
}

/** The store is one publication ahead of the ledger: its writer died in between. */
function isUntold({ sequence, parent }: StateHeader, latest: Publication | undefined): boolean {
  return sequence === (latest?.sequence ?? 0) + 1 && (latest === undefined || latest.snapshot === parent);
}

/** @throws FreshetError `corrupt` where what is published is not what the ledger knows of. */
function requireAgreement({ store, stored, head }: ProductState, latest: Publication | undefined): void {
  const known = latest === undefined ? "nothing" : `#${latest.sequence}, version ${latest.snapshot}`;
  if (stored === undefined) {
    if (latest === undefined) return;
    throw new FreshetError("corrupt", "the ledger knows of publications that the store does not have", {
      found: "an empty store",
      expected: known,
      uri: store.folder,
      remedy: "Bring the store back, or write it anew from the ledger: freshet rebuild DATASET",
    });
  }
  const { sequence } = stored.header;
  if (latest !== undefined && latest.sequence === sequence && latest.snapshot === head) return;
  const found = `#${sequence}, version ${head}`;
  if (sequence > (latest?.sequence ?? 0)) {
    throw new FreshetError("corrupt", "the store is ahead of the ledger by more than a crash can explain", {
      found,
      expected: known,
      uri: store.folder,
      remedy: "Restore the ledger's backup, or rebuild its published part from the store: freshet ledger rebuild DATASET",
    });
  }
  throw new FreshetError("corrupt", "somebody has moved the store's branch main or written to it", {
    found,
    expected: known,
    uri: store.folder,
    remedy: "See who did (freshet verify DATASET), then write the product anew over it: freshet rebuild DATASET",
  });
}

function heldError({ hold, sequence, dataset }: StateHeader): FreshetError {
  const since = new Date(hold?.sinceMs ?? 0).toISOString();
  return new FreshetError("held", `the product shows publication #${hold?.sequence} again (as #${sequence})`, {
    found: `${hold?.by}: ${hold?.reason}, since ${since}`,
    remedy: `End it with freshet release ${dataset.name} --reason TEXT`,
  });
}
