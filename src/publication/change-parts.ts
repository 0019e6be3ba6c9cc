import type { Dataset, Product } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import {
  calendarOf,
  compareSchemas,
  describeDrifts,
  type EpochHeader,
  epochChange,
  type GranuleSchema,
  type LayoutRow,
  type PlacedGranule,
  productHash,
  type ReadCopy,
  type Shown,
  type SlotChange,
  type StateHeader,
  schemaOf,
  shapeFor,
  showing,
  slotMeaning,
  stateChange,
  templateFor,
  type ViewDifference,
  withoutDropped,
} from "../products/index.ts";
import type { Sample, ScanStore } from "../scan/index.ts";
import { countReferences } from "../virtual/index.ts";
import type { StoreChange } from "../writers/icechunk/index.ts";
import { toldAttributes } from "./told-attributes.ts";
import type { Tick } from "./turn.ts";
import { type StepPlace, viewDifferences, viewParts } from "./view-parts.ts";
import type { WantedEpoch } from "./wanted.ts";

/** References to a part: what a commit of the store takes well, and what may be in memory at once. */
const PART_REFERENCES = 100_000;
const PART_GRANULES = 1000;
const NOTHING_SHOWN: Shown = { dropped: {}, sparse: [] };

/** What another decoder said of a granule that was written, and where that granule went. */
export interface Testimony {
  /** The granule's key. */
  readonly key: string;
  readonly epoch: number;
  readonly slot: number;
  readonly granule: PlacedGranule;
  /** Of a forecast: where its steps went, by step. */
  readonly places?: ReadonlyMap<number, StepPlace> | undefined;
  readonly samples: readonly Sample[];
  /** Why there is no sample, where there is none. */
  readonly silence: string;
}

interface Writing {
  readonly scans: ScanStore;
  readonly dataset: Dataset;
  readonly product: Product;
  readonly epochs: readonly WantedEpoch[];
  /** All but what the granules show. */
  readonly header: Omit<StateHeader, "epochs" | "layoutHash">;
  /** The store is emptied first: everything is written. */
  readonly isFresh: boolean;
  /** What all granules have shown, where that is known already. */
  readonly shown?: ((epoch: number) => Shown) | undefined;
  readonly tick: Tick;
}

/**
 * What a publication writes, part by part, each a bounded number of references: the scans of one part at a time are in memory.
 * The product's state comes with the last one.
 */
export class ChangeParts {
  /** The state that the last part wrote. */
  header: StateHeader | undefined;
  /** Of the granules written, at most `PART_GRANULES`, evenly. */
  readonly testimonies: Testimony[] = [];
  /** Of a forecast: the views that were written, and what changed in them, by epoch. */
  readonly views = new Map<number, readonly ViewDifference[]>();
  /** The templates by epoch. */
  readonly templates = new Map<number, PlacedGranule>();
  readonly #writing: Writing;
  readonly #readCopy: ReadCopy;
  #seen = 0;
  #stride = 1;

  constructor(writing: Writing) {
    this.#writing = writing;
    this.#readCopy = (range) => writing.scans.readCopy(range);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StoreChange> {
    let held: StoreChange = { groups: [], arrays: [] };
    const epochs: EpochHeader[] = [];
    for (const epoch of this.#writing.epochs) {
      const before = this.#writing.isFresh ? undefined : epoch.stored?.header;
      let { dropped, sparse, told } = this.#writing.shown?.(epoch.epoch) ?? before ?? NOTHING_SHOWN;
      for await (const { change, shown } of this.#partsOf(epoch, { dropped, sparse, told })) {
        ({ dropped, sparse, told } = shown);
        if (held.groups.length > 0) yield held;
        held = change;
      }
      const { layout, steps, template } = epoch;
      const { dataset, product } = this.#writing;
      epochs.push({
        epoch: epoch.epoch,
        layoutHash: layout.hash,
        originMs: layout.originMs,
        slots: layout.slots,
        steps,
        calendar: slotMeaning(dataset, product),
        template,
        dropped,
        sparse,
        ...(told === undefined ? {} : { told }),
      });
    }
    this.header = { ...this.#writing.header, layoutHash: productHash(epochs), epochs };
    yield { ...held, groups: [...held.groups, stateChange(this.header)] };
  }

  async *#partsOf(epoch: WantedEpoch, before: Shown): AsyncGenerator<{ change: StoreChange; shown: Shown }> {
    const { isFresh, product } = this.#writing;
    const { changes, from, to } = epoch.difference;
    const all = isFresh ? allSlots(epoch) : changes;
    if (all.length === 0 && from === to && !(isFresh && epoch.layout.slots === 0)) return;
    const template = await this.#template(epoch);
    const expected = this.#schemaOf(template);
    const rules = this.#writing.dataset.attributes;
    const told = this.#writing.shown === undefined ? await toldAttributes(epoch, isFresh, this.#writing) : before.told;
    if (product.kind === "forecast") {
      const { tick } = this.#writing;
      const differences = viewDifferences(epoch, product, isFresh);
      const most = { references: PART_REFERENCES, granules: PART_GRANULES };
      const granule = (row: LayoutRow, places: Testimony["places"]): Promise<PlacedGranule> =>
        this.#fitting(expected, epoch, epoch.layout.slotOf(row.key) ?? 0, row, places);
      const writing = { differences, isFresh, template, before, told, rules, most, granule, tick };
      for await (const part of viewParts(epoch, writing)) {
        if (part.written !== undefined) this.views.set(epoch.epoch, part.written);
        yield part;
      }
      return;
    }
    const calendar = calendarOf(product);
    const originMs = epoch.layout.originMs ?? 0;
    let shown: Shown = { ...before, told };
    let isFirst = isFresh || epoch.stored === undefined;
    let at = 0;
    do {
      const granules = new Map<number, PlacedGranule>();
      const part: SlotChange[] = [];
      let references = 0;
      while (at < all.length && references < PART_REFERENCES && granules.size < PART_GRANULES) {
        const change = all[at++] as SlotChange;
        part.push(change);
        if (change.row !== null) {
          const granule = await this.#fitting(expected, epoch, change.slot, change.row);
          granules.set(change.slot, granule);
          references += countReferences(granule.root);
        }
        this.#writing.tick(`reading scans, ${at} of ${all.length}`);
      }
      shown = showing(shown, template, [...granules.values()], rules);
      const change = epochChange({
        epoch: epoch.epoch,
        isFirst,
        shown,
        template,
        layout: epoch.layout,
        steps: epoch.steps,
        changes: part,
        from: isFresh ? 0 : from,
        granules,
        timeAt: (slot, step) => calendar.timeAt(slot * epoch.steps + step, originMs),
      });
      isFirst = false;
      yield { change, shown };
    } while (at < all.length);
  }

  async #template({ epoch, template: address }: WantedEpoch): Promise<PlacedGranule> {
    const { scans, dataset, product } = this.#writing;
    const scan = await scans.get(address);
    const root = withoutDropped(scan.root, dataset.scan.drop);
    const shape = templateFor(product, root);
    const template = { slot: 0, root, source: scan.identity, shape, readCopy: this.#readCopy };
    this.templates.set(epoch, template);
    return template;
  }

  /** A granule that has the epoch's form. What is wrong with it names it. */
  async #fitting(
    expected: GranuleSchema,
    { epoch }: WantedEpoch,
    slot: number,
    row: LayoutRow,
    places?: Testimony["places"],
  ): Promise<PlacedGranule> {
    const granule = await this.#granule(epoch, slot, row, places).catch((error: unknown) => {
      throw error instanceof FreshetError ? error.at({ granule: row.key }) : error;
    });
    requireFit(expected, this.#schemaOf(granule), row.key);
    return granule;
  }

  #schemaOf({ shape, root }: PlacedGranule): GranuleSchema {
    return schemaOf(shape, root, this.#writing.dataset.attributes);
  }

  async #granule(epoch: number, slot: number, row: LayoutRow, places: Testimony["places"]): Promise<PlacedGranule> {
    const { scans, dataset, product } = this.#writing;
    const scan = await scans.get(row.scan);
    const root = withoutDropped(scan.root, dataset.scan.drop);
    const shape = shapeFor(product, root, row);
    const granule = { slot, root, source: scan.identity, shape, readCopy: this.#readCopy };
    const samples = scan.samples?.taken ?? [];
    const silence = scan.samples === undefined ? "nobody asked another decoder" : silenceOf(scan.samples.passedOver);
    this.#remember({ key: row.key, epoch, slot, granule, places, samples, silence });
    return granule;
  }

  /** Keeps every n-th; n doubles when there are too many. */
  #remember(testimony: Testimony): void {
    if (this.#seen++ % this.#stride !== 0) return;
    this.testimonies.push(testimony);
    if (this.testimonies.length <= PART_GRANULES) return;
    this.#stride *= 2;
    const half = this.testimonies.filter((_, index) => index % 2 === 0);
    this.testimonies.splice(0, this.testimonies.length, ...half);
  }
}

function silenceOf(passedOver: readonly { readonly path: string; readonly reason: string }[]): string {
  return passedOver.map(({ path, reason }) => `${path}: ${reason}`).join("; ");
}

function allSlots({ layout }: WantedEpoch): SlotChange[] {
  return Array.from({ length: layout.slots }, (_, slot) => ({ slot, row: layout.at(slot) }));
}

/** What is published is this room's own word, though the gate has asked already. */
function requireFit(expected: GranuleSchema, found: GranuleSchema, key: string): void {
  const drifts = compareSchemas(expected, found);
  if (drifts.length === 0) return;
  throw new FreshetError("drift", "a granule that passed the gate does not fit the product", {
    found: describeDrifts(drifts),
    granule: key,
    remedy: "Report this: it must not happen",
  });
}
