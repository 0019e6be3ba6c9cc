import type { AttributeRules, ForecastProduct } from "../dataset/index.ts";
import {
  differencesOf,
  epochGroup,
  type LayoutRow,
  layoutChange,
  type PlacedGranule,
  type Shown,
  type StoredEpoch,
  showing,
  singleStep,
  type ViewCell,
  type ViewChange,
  type ViewDifference,
  viewChange,
  viewIndex,
  viewsOf,
} from "../products/index.ts";
import { countReferences } from "../virtual/index.ts";
import type { StoreChange } from "../writers/icechunk/index.ts";
import type { WantedEpoch } from "./wanted.ts";

/** Where readers see a step of a granule: a group, and the index of its leading dimensions. */
export interface StepPlace {
  readonly group: string;
  readonly index: readonly number[];
}

/** Where readers see the granules of an epoch, by key and step; of several views the first that the dataset file names. */
export function placesInViews(
  product: ForecastProduct,
  { header, layout }: StoredEpoch,
): ReadonlyMap<string, ReadonlyMap<number, StepPlace>> {
  const places = new Map<string, Map<number, StepPlace>>();
  for (const view of viewsOf(layout, product, header.steps)) {
    for (const [at, cell] of view.cells.entries()) {
      if (cell === null) continue;
      const steps = places.get(cell.row.key) ?? new Map<number, StepPlace>();
      places.set(cell.row.key, steps);
      if (!steps.has(cell.step))
        steps.set(cell.step, { group: `${epochGroup(header.epoch)}${view.group}`, index: viewIndex(view, at) });
    }
  }
  return places;
}

export interface ViewWriting {
  /** Of `viewDifferences`. */
  readonly differences: readonly ViewDifference[];
  readonly isFresh: boolean;
  readonly template: PlacedGranule;
  /** What granules have shown before. */
  readonly before: Shown;
  /** What the rules of the dataset file make of attributes now, and those rules. */
  readonly told: Shown["told"];
  readonly rules: AttributeRules | undefined;
  /** Limits of a part. */
  readonly most: { readonly references: number; readonly granules: number };
  /** Reads a granule that fits. `places`: where its steps are shown, by step. */
  readonly granule: (row: LayoutRow, places: ReadonlyMap<number, StepPlace>) => Promise<PlacedGranule>;
  readonly tick: (what: string) => void;
}

interface Job {
  /** Which of the differences. */
  readonly view: number;
  readonly change: ViewChange & { readonly cell: ViewCell };
}

/** What a publication changes in the views of one epoch; of granules that it writes anew, every cell. */
export function viewDifferences(
  { layout, stored, difference, steps }: WantedEpoch,
  product: ForecastProduct,
  isFresh: boolean,
): ViewDifference[] {
  const storedViews = stored === undefined ? [] : viewsOf(stored.layout, product, stored.header.steps);
  const forced = new Set(difference.changes.flatMap(({ row }) => (row === null ? [] : [row.key])));
  return differencesOf(storedViews, viewsOf(layout, product, steps), isFresh, forced);
}

/** A part of what a publication writes into views. */
interface WrittenPart {
  readonly change: StoreChange;
  readonly shown: Shown;
  /** With the last part: the views that any part has written, or that leave. */
  readonly written?: readonly ViewDifference[];
}

/**
 * What a publication writes into the views of one epoch of a forecast, part by part. Each granule is read once, for all views.
 * The last part says the final word of every view that changed, and holds the pages of the layout.
 */
export async function* viewParts(
  epoch: WantedEpoch,
  { differences, isFresh, template, before, told, rules, most, granule, tick }: ViewWriting,
): AsyncGenerator<WrittenPart> {
  const { layout, difference } = epoch;
  const jobs = jobsOf(differences);
  const part = new Part(epoch, differences, template);
  for (const [index, { changes }] of differences.entries())
    for (const change of changes) if (change.cell === null) part.add(index, change, undefined);

  let shown: Shown = { ...before, told };
  let done = 0;
  for (const [row, its] of jobs) {
    const places = placesOf(its, differences, epochGroup(epoch.epoch));
    const whole = await granule(row, places);
    const single = new Map<number, PlacedGranule>();
    for (const { view, change } of its) {
      const { step } = change.cell;
      const one = single.get(step) ?? singleStep(whole, step);
      single.set(step, one);
      part.add(view, change, one);
      part.references += countReferences(whole.root) / whole.shape.validMs.length;
    }
    part.granules.push(whole);
    tick(`reading scans, ${++done} of ${jobs.size}`);
    if (part.references < most.references && part.granules.length < most.granules) continue;
    shown = showing(shown, template, part.granules, rules);
    yield { change: part.take(shown, false), shown };
  }
  shown = showing(shown, template, part.granules, rules);
  const isOther = JSON.stringify(shown) !== JSON.stringify(before);
  const change = part.take(shown, isOther);
  const allSlots = Array.from({ length: layout.slots }, (_, slot) => ({ slot, row: layout.at(slot) }));
  const pages = layoutChange({
    epoch: epoch.epoch,
    layout,
    changes: isFresh ? allSlots : difference.changes,
    from: isFresh ? 0 : difference.from,
  });
  const removed = differences.flatMap(({ isGone, wanted }) => (isGone ? [`${epochGroup(epoch.epoch)}${wanted.group}`] : []));
  const written = differences.filter(({ isGone }, index) => isGone || part.hasWritten(index));
  yield { change: { ...change, arrays: [...change.arrays, pages], removed }, shown, written };
}

/** Changes that need a granule, by granule. */
function jobsOf(differences: readonly ViewDifference[]): Map<LayoutRow, Job[]> {
  const byKey = new Map<string, { readonly row: LayoutRow; readonly jobs: Job[] }>();
  for (const [view, { changes }] of differences.entries()) {
    for (const { at, cell } of changes) {
      if (cell === null) continue;
      const known = byKey.get(cell.row.key) ?? { row: cell.row, jobs: [] };
      byKey.set(cell.row.key, known);
      known.jobs.push({ view, change: { at, cell } });
    }
  }
  return new Map([...byKey.values()].map(({ row, jobs }) => [row, jobs]));
}

function placesOf(jobs: readonly Job[], differences: readonly ViewDifference[], under: string): Map<number, StepPlace> {
  const places = new Map<number, StepPlace>();
  for (const { view, change } of jobs) {
    const { wanted } = differences[view] as ViewDifference;
    if (places.has(change.cell.step)) continue;
    places.set(change.cell.step, { group: `${under}${wanted.group}`, index: viewIndex(wanted, change.at) });
  }
  return places;
}

/** What is collected until it is written. */
class Part {
  references = 0;
  granules: PlacedGranule[] = [];
  readonly #epoch: WantedEpoch;
  readonly #differences: readonly ViewDifference[];
  readonly #template: PlacedGranule;
  #changes: ViewChange[][];
  #steps: Map<number, PlacedGranule>[];
  /** Its arrays are there. */
  readonly #isThere: boolean[];
  readonly #isTouched: boolean[];
  readonly #written = new Set<number>();

  constructor(epoch: WantedEpoch, differences: readonly ViewDifference[], template: PlacedGranule) {
    this.#epoch = epoch;
    this.#differences = differences;
    this.#template = singleStep(template, 0);
    this.#changes = differences.map(() => []);
    this.#steps = differences.map(() => new Map());
    this.#isThere = differences.map(({ isNew }) => !isNew);
    this.#isTouched = differences.map(
      ({ isNew, isGone, changes, from, wanted }) => !isGone && (isNew || changes.length > 0 || from !== wanted.cells.length),
    );
  }

  add(view: number, change: ViewChange, step: PlacedGranule | undefined): void {
    (this.#changes[view] as ViewChange[]).push(change);
    if (step !== undefined) this.#steps[view]?.set(change.at, step);
  }

  /** True: `take` has given something of this view. */
  hasWritten(view: number): boolean {
    return this.#written.has(view);
  }

  /** The change, and the beginning of the next one. */
  take(shown: Shown, isOther: boolean): StoreChange {
    const groups = new Map<string, StoreChange["groups"][number]>();
    const arrays: StoreChange["arrays"][number][] = [];
    for (const [index, { wanted, isGone }] of this.#differences.entries()) {
      if (isGone || (!isOther && !this.#isTouched[index])) continue;
      const change = viewChange({
        under: epochGroup(this.#epoch.epoch),
        wanted,
        isFirst: !this.#isThere[index],
        shown,
        template: this.#template,
        changes: this.#changes[index] as ViewChange[],
        granules: this.#steps[index] as Map<number, PlacedGranule>,
      });
      this.#isThere[index] = true;
      this.#written.add(index);
      for (const group of change.groups) groups.set(group.path, group);
      arrays.push(...change.arrays);
    }
    this.references = 0;
    this.granules = [];
    this.#changes = this.#differences.map(() => []);
    this.#steps = this.#differences.map(() => new Map());
    return { groups: [...groups.values()], arrays };
  }
}
