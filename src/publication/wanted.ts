import type { Dataset, Product } from "../dataset/index.ts";
import {
  type Arrival,
  type DisplacedRow,
  differenceOf,
  isOfOne,
  Layout,
  type LayoutDifference,
  type LayoutRow,
  placeArrivals,
  placeInOrder,
  placementRules,
  type ReadyArrival,
  type StoredEpoch,
  type StoredState,
  slotMeaning,
} from "../products/index.ts";
import type { ScanAddress } from "../scan/index.ts";
import type { EpochArrival } from "./arrivals.ts";

/** What gives an epoch its form. */
export interface EpochForm {
  readonly template: ScanAddress;
  /** Steps of the axis in one granule. */
  readonly steps: number;
}

/** One epoch of the product as it should be, and what that changes. */
export interface WantedEpoch extends EpochForm {
  readonly epoch: number;
  readonly stored: StoredEpoch | undefined;
  readonly layout: Layout;
  readonly difference: LayoutDifference;
}

export interface Wanted {
  readonly epochs: readonly WantedEpoch[];
  /** Arrivals that have no place, each with the reason. */
  readonly rejected: readonly { readonly arrival: ReadyArrival; readonly reason: string }[];
  /** Arrivals that a rule or a decision leaves out, each with the reason. */
  readonly refused: readonly { readonly arrival: ReadyArrival; readonly reason: string }[];
  /** Revisions that lost their place to another granule. */
  readonly displaced: readonly DisplacedRow[];
  /** Revisions that stood there before, and whose granule stands nowhere now. */
  readonly left: readonly Pick<LayoutRow, "key" | "identity">[];
}

/**
 * The product once the arrivals are in: each goes to the epoch that has its form, and leaves every other one.
 * @param stored what readers see now: what the difference is counted from.
 * @param isAnew the arrivals are all there is: what is stored does not stay by itself.
 * @param refusal why an arrival is left out; undefined where it is not.
 */
export async function wantedProduct(
  stored: StoredState | undefined,
  arrivals: readonly EpochArrival[],
  {
    dataset,
    product,
    isAnew = false,
    refusal = () => undefined,
  }: {
    readonly dataset: Dataset;
    readonly product: Product;
    readonly isAnew?: boolean;
    readonly refusal?: (arrival: ReadyArrival) => string | undefined;
  },
  formOf: (epoch: number) => Promise<EpochForm>,
): Promise<Wanted> {
  const how = { dataset, product, isAnew };
  const refused = arrivals.flatMap(({ arrival }) => {
    const reason = arrival.state === "ready" ? refusal(arrival) : undefined;
    return arrival.state === "ready" && reason !== undefined ? [{ arrival, reason }] : [];
  });
  const left = new Set<Arrival>(refused.map(({ arrival }) => arrival));
  const taken = refused.length === 0 ? arrivals : arrivals.filter(({ arrival }) => !left.has(arrival));
  const wanted = { ...(await layOut(stored, taken, how, formOf)), refused };
  if (wanted.rejected.length === 0) return wanted;
  // What has no place leaves no other place either.
  const rejected = new Set<Arrival>(wanted.rejected.map(({ arrival }) => arrival));
  const rest = taken.filter(({ arrival }) => !rejected.has(arrival));
  return { ...(await layOut(stored, rest, how, formOf)), rejected: wanted.rejected, refused };
}

async function layOut(
  stored: StoredState | undefined,
  arrivals: readonly EpochArrival[],
  { dataset, product, isAnew }: { readonly dataset: Dataset; readonly product: Product; readonly isAnew: boolean },
  formOf: (epoch: number) => Promise<EpochForm>,
): Promise<Wanted> {
  const byEpoch = new Map<number, StoredEpoch | undefined>(stored?.epochs.map((epoch) => [epoch.header.epoch, epoch]));
  for (const { epoch } of arrivals) if (epoch !== undefined && !byEpoch.has(epoch)) byEpoch.set(epoch, undefined);
  const epochs: WantedEpoch[] = [];
  const rejected: { arrival: ReadyArrival; reason: string }[] = [];
  const displaced: DisplacedRow[] = [];
  for (const [epoch, before] of [...byEpoch].sort(([a], [b]) => a - b)) {
    const form = before === undefined ? await formOf(epoch) : { template: before.header.template, steps: before.header.steps };
    const isRetimed = before !== undefined && before.header.calendar !== slotMeaning(dataset, product);
    const base = isAnew ? Layout.EMPTY : (before?.layout ?? Layout.EMPTY);
    const mine = arrivals.map((arrival) => inEpoch(arrival, epoch));
    const placement =
      product.kind === "collection"
        ? placeInOrder(base, mine, product)
        : placeArrivals(base, mine, placementRules(dataset, product, form.steps), isRetimed && !isAnew);
    rejected.push(...placement.rejected);
    displaced.push(...placement.displaced);
    // An epoch begins with a granule that has a place.
    if (before === undefined && placement.layout.slots === 0) continue;
    const difference = differenceOf(before?.layout ?? Layout.EMPTY, placement.layout, isRetimed);
    epochs.push({ epoch, stored: before, layout: placement.layout, difference, ...formIn(product, placement.layout, form) });
  }
  return { epochs, rejected, refused: [], displaced, left: leftBehind(epochs) };
}

function leftBehind(epochs: readonly WantedEpoch[]): LayoutRow[] {
  const left: LayoutRow[] = [];
  for (const { stored, layout } of epochs) {
    if (stored === undefined) continue;
    const changed = layout.changedSince(stored.layout);
    const before = changed?.map((slot) => stored.layout.at(slot)) ?? stored.layout.rows().map(([, row]) => row);
    for (const row of before)
      if (row !== null && !epochs.some((epoch) => epoch.layout.standing(row.key) !== undefined)) left.push(row);
  }
  return left;
}

/** What an arrival is to an epoch: its own, or one that has left it for another. */
function inEpoch({ arrival, epoch }: EpochArrival, here: number): Arrival {
  if (arrival.state === "withdrawn" || epoch === here) return arrival;
  return { state: "withdrawn", key: arrival.key, identity: undefined };
}

/** The layouts of another version, as what is wanted. */
export function wantedAgain(product: Product, stored: StoredState, earlier: StoredState): Wanted {
  const epochs = stored.epochs.map((before): WantedEpoch => {
    const { epoch, template, steps } = before.header;
    const layout = earlier.epochs.find(({ header }) => header.epoch === epoch)?.layout ?? Layout.EMPTY;
    return {
      epoch,
      stored: before,
      layout,
      difference: differenceOf(before.layout, layout),
      ...formIn(product, layout, { template, steps }),
    };
  });
  return { epochs, rejected: [], refused: [], displaced: [], left: [] };
}

/** The form that an epoch has with this layout: where one granule is the whole product, it is that granule's. */
export function formIn(product: Product, layout: Layout, form: EpochForm): EpochForm {
  const [only] = isOfOne(product) ? layout.rows() : [];
  return only === undefined ? form : { ...form, template: only[1].scan };
}

/** Sums over the epochs. */
export function countsOf(epochs: readonly WantedEpoch[]): Pick<LayoutDifference, "added" | "replaced" | "removed"> {
  const sum = { added: 0, replaced: 0, removed: 0 };
  for (const { difference } of epochs) {
    sum.added += difference.added;
    sum.replaced += difference.replaced;
    sum.removed += difference.removed;
  }
  return sum;
}

/** True when no slot of any epoch changes. */
export function isAsStored(epochs: readonly WantedEpoch[]): boolean {
  return epochs.every(({ difference: { changes, from, to } }) => changes.length === 0 && from === to);
}
