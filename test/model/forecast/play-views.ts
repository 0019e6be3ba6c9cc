import assert from "node:assert/strict";
import type { Dataset, ForecastProduct } from "../../../src/dataset/index.ts";
import type { Revision } from "../../../src/ledger/index.ts";
import {
  differencesOf,
  Layout,
  type StoredState,
  slotMeaning,
  type ViewCell,
  type ViewDifference,
  type ViewLayout,
  viewsOf,
} from "../../../src/products/index.ts";
import { readPage } from "../../../src/products/layout.ts";
import { arrivalOf } from "../../../src/publication/arrivals.ts";
import { type Wanted, wantedAgain, wantedProduct } from "../../../src/publication/wanted.ts";
import { diceOf } from "./dice.ts";
import { eventsOf, type ForecastEvent, fieldsOf } from "./events.ts";
import { type Declared, datasetOf, declare } from "./forecast-file.ts";
import { ForecastModel, type ModelCell, type ModelGranule, type ModelLine } from "./forecast-model.ts";

/** What a reader sees of a view: cells that were written once stay where they are, until something else is written there. */
interface Seen {
  layout: ViewLayout;
  readonly cells: (ViewCell | null)[];
  readonly validMs: number[];
  readonly runsMs: number[];
}

export interface Sequence {
  readonly declared: Declared;
  readonly events: readonly ForecastEvent[];
}

export function sequenceOf(seed: number, most = 24): Sequence {
  const dice = diceOf(seed);
  const declared = declare(dice);
  return { declared, events: eventsOf(declared, dice, most) };
}

/**
 * Plays a sequence against the pure part: placement, views, their differences, applied to what was there. After every publication all
 * views are the model's. Answers what happened, with counts.
 */
export async function playViews({ declared, events }: Sequence, tally: Map<string, number>): Promise<void> {
  const system = new PureForecast(declared);
  const count = (what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1);
  let pending: Revision[] = [];
  let model = new ForecastModel(declared);
  const versions: { layout: Layout; standing: readonly ModelGranule[] }[] = [];
  for (const [number, event] of events.entries()) {
    count(event.do);
    switch (event.do) {
      case "arrive":
        pending.push(revisionOf(event.granule, "ready", number));
        model.arrive(event.granule);
        break;
      case "withdraw":
        pending.push(revisionOf(event.granule, "withdrawn", number));
        model.withdraw(event.granule.key, event.granule.identity);
        break;
      case "publish": {
        await system.publish(pending);
        pending = [];
        system.compare(model);
        if (system.layout !== undefined) versions.push({ layout: system.layout, standing: model.standing });
        break;
      }
      case "roll back": {
        // What has come and is not published yet comes with the next publication, after the old layout.
        const earlier = versions.at(-1 - event.versions);
        if (earlier === undefined || pending.length > 0) break;
        system.rollBack(earlier.layout);
        model = ForecastModel.of(declared, earlier.standing);
        system.compare(model);
        count("rolled back");
        break;
      }
      case "rebuild":
        if (pending.length > 0) break;
        await system.rebuild(model.standing.map((granule) => revisionOf(granule, "ready", number)));
        system.compare(model);
        count("rebuilt");
        break;
      case "restart":
        system.restart();
    }
  }
}

class PureForecast {
  readonly #declared: Declared;
  readonly #dataset: Dataset;
  readonly #product: ForecastProduct;
  #stored: StoredState | undefined;
  #seen = new Map<string, Seen>();

  constructor(declared: Declared) {
    this.#declared = declared;
    ({ dataset: this.#dataset, product: this.#product } = datasetOf(declared));
  }

  get layout(): Layout | undefined {
    return this.#stored?.epochs[0]?.layout;
  }

  async publish(revisions: readonly Revision[]): Promise<void> {
    this.#apply(await this.#wanted(revisions, false), false);
  }

  async rebuild(revisions: readonly Revision[]): Promise<void> {
    this.#apply(await this.#wanted(revisions, true), true);
  }

  rollBack(layout: Layout): void {
    const stored = this.#stored as StoredState;
    const [epoch] = stored.epochs;
    this.#apply(
      wantedAgain(this.#product, stored, { ...stored, epochs: [{ ...(epoch as (typeof stored.epochs)[number]), layout }] }),
      false,
    );
  }

  /** The layout as it lies in the store. */
  restart(): void {
    const { layout } = this;
    if (layout === undefined) return;
    const rows = Array.from({ length: layout.pageCount }, (_, page) => readPage(layout.page(page))).flat();
    this.#store(Layout.of(layout.originMs, rows));
    assert.equal(this.layout?.hash, layout.hash);
  }

  compare(model: ForecastModel): void {
    if (this.#stored === undefined) {
      assert.deepEqual(model.standing, []);
      return;
    }
    compareLine("best", this.#shown("/best"), model.best());
    compareLine("whole", this.#shown("/whole"), model.best(true));
    const newest = model.runs().at(-1);
    compareLine("latest", this.#shown("/latest"), newest === undefined ? new Map() : model.run(newest));
    this.#compareRuns(model);
    const grid = this.#shown("/fmrc");
    const hours = model.hours();
    const leadsMs = hours.map((each) => each * 3_600_000);
    assert.deepEqual(grid.layout.leadsMs, leadsMs);
    assert.deepEqual(grid.layout.lengths, [grid.runsMs.length, hours.length]);
    for (const [row, runMs] of grid.runsMs.entries()) {
      const line = { ...grid, cells: grid.cells.slice(row * hours.length, (row + 1) * hours.length) };
      const validMs = grid.validMs.slice(row * hours.length, (row + 1) * hours.length);
      compareLine(`fmrc, run ${runMs}`, { ...line, validMs }, model.run(runMs));
    }
    requireNeighbours(grid.runsMs, this.#declared);
    for (const runMs of model.runs()) assert.ok(grid.runsMs.includes(runMs), `run ${runMs} is in fmrc`);
    for (const each of this.#declared.offsetHours) {
      const line = new Map(grid.runsMs.map((runMs) => [runMs + each * 3_600_000, model.at(runMs, each)]));
      compareLine(`offset ${each}`, this.#shown(`/offset/${each}h`), line);
    }
    const moments = [...new Set([this.#declared.validMs, ...model.recent(this.#declared.recentHours)])];
    for (const validMs of moments) {
      const seen = this.#shown(`/valid/${nameOf(validMs)}`);
      assert.ok(seen.validMs.every((ms) => ms === validMs));
      compareLine(`valid ${validMs}`, { ...seen, validMs: seen.runsMs }, model.valid(validMs, grid.runsMs));
    }
    const groups = [...this.#seen.keys()].filter((group) => group.startsWith("/valid/"));
    assert.deepEqual(groups.sort(), moments.map((ms) => `/valid/${nameOf(ms)}`).sort());
  }

  /** Each run that has something has a group, and no other. */
  #compareRuns(model: ForecastModel): void {
    const expected = new Map(model.runs().map((runMs) => [nameOf(runMs), runMs]));
    for (const group of this.#seen.keys()) {
      const [, name] = /^\/run\/(.*)$/.exec(group) ?? [];
      if (name === undefined) continue;
      const runMs = expected.get(name);
      assert.ok(runMs !== undefined, `${group}, of which nothing stands`);
      compareLine(group, this.#shown(group), model.run(runMs));
      expected.delete(name);
    }
    assert.deepEqual([...expected.keys()], [], "runs without a group");
  }

  #shown(group: string): Seen {
    const seen = this.#seen.get(group);
    assert.ok(seen !== undefined, `there is no ${group}`);
    const { layout } = seen;
    const length = layout.cells.length;
    const runs = layout.form === "line" ? 0 : (layout.lengths[0] as number);
    const cells = seen.cells.slice(0, length);
    return { layout, cells, validMs: seen.validMs.slice(0, length), runsMs: seen.runsMs.slice(0, runs) };
  }

  #wanted(revisions: readonly Revision[], isAnew: boolean): Promise<Wanted> {
    const arrivals = revisions.map((revision) => arrivalOf(revision, this.#product));
    const form = { template: { uri: "scans/first", sha256: "first" }, steps: this.#declared.steps };
    const how = { dataset: this.#dataset, product: this.#product, isAnew };
    return wantedProduct(this.#stored, arrivals, how, () => Promise.resolve(form));
  }

  #apply({ epochs }: Wanted, isFresh: boolean): void {
    const [epoch] = epochs;
    if (epoch === undefined) return;
    const { steps } = this.#declared;
    const stored = epoch.stored === undefined ? [] : viewsOf(epoch.stored.layout, this.#product, steps);
    const forced = new Set(epoch.difference.changes.flatMap(({ row }) => (row === null ? [] : [row.key])));
    if (isFresh) this.#seen = new Map();
    for (const difference of differencesOf(stored, viewsOf(epoch.layout, this.#product, steps), isFresh, forced))
      this.#write(difference);
    epoch.layout.settle();
    this.#store(epoch.layout);
  }

  #write({ wanted, changes, isNew, isGone }: ViewDifference): void {
    if (isGone) {
      this.#seen.delete(wanted.group);
      return;
    }
    const known = this.#seen.get(wanted.group) ?? { layout: wanted, cells: [], validMs: [], runsMs: [] };
    assert.ok(isNew || this.#seen.has(wanted.group), `${wanted.group} is not there yet`);
    known.layout = wanted;
    const columns = wanted.leadsMs.length;
    for (const { at, cell } of changes) {
      known.cells[at] = cell;
      known.validMs[at] = wanted.validMs[at] as number;
      if (wanted.form === "runs") known.runsMs[at] = wanted.runsMs[at] as number;
      if (wanted.form === "grid") known.runsMs[Math.floor(at / columns)] = wanted.runsMs[Math.floor(at / columns)] as number;
    }
    this.#seen.set(wanted.group, known);
  }

  #store(layout: Layout): void {
    const header = {
      epoch: 1,
      layoutHash: layout.hash,
      originMs: layout.originMs,
      slots: layout.slots,
      steps: this.#declared.steps,
      calendar: slotMeaning(this.#dataset, this.#product),
      template: { uri: "scans/first", sha256: "first" },
      dropped: {},
      sparse: [],
    };
    this.#stored = { header: { epochs: [header] } as unknown as StoredState["header"], epochs: [{ header, layout }] };
  }
}

function compareLine(what: string, { cells, validMs, layout }: Seen, expected: ModelLine): void {
  assert.ok(layout.form === "grid" || layout.lengths[0] === cells.length, `${what}: length`);
  assert.deepEqual([...validMs], [...expected.keys()], `${what}: valid times`);
  assert.deepEqual(cells.map(found), [...expected.values()].map(wanted), what);
}

function found(cell: ViewCell | null | undefined): string {
  if (cell === undefined) return "never written";
  return cell === null ? "-" : `${cell.row.key} ${cell.row.identity} ${cell.step} ${cell.runMs} ${cell.leadMs / 3_600_000}`;
}

function wanted(cell: ModelCell | undefined): string {
  return cell === undefined ? "-" : `${cell.granule.key} ${cell.granule.identity} ${cell.step} ${cell.runMs} ${cell.hours}`;
}

/** Runs follow each other as the cycle does, without a hole. */
function requireNeighbours(runsMs: readonly number[], { cycleHours }: Declared): void {
  for (const [index, runMs] of runsMs.slice(1).entries()) {
    const before = runsMs[index] as number;
    const next = new Date(before);
    const expected = cycleHours === undefined ? next.setUTCMonth(next.getUTCMonth() + 1) : before + cycleHours * 3_600_000;
    assert.equal(runMs, expected, "the run after the one before");
  }
}

function nameOf(runMs: number): string {
  return `${new Date(runMs).toISOString().slice(0, 16).replace(/[-:]/g, "")}Z`;
}

function revisionOf(granule: ModelGranule, state: "ready" | "withdrawn", seq: number): Revision {
  const { key, identity } = granule;
  const sha256 = `${key} ${identity}`;
  const scan = { uri: `scans/${sha256}`, sha256 };
  const times = { heardMs: 0, changedMs: 0, heardSeq: seq, changedSeq: seq };
  return { dataset: "model", key, identity, state, reason: "", ...times, fields: fieldsOf(granule), scan, epoch: 1 };
}
