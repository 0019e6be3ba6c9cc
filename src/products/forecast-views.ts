import type { ForecastProduct, ForecastView } from "../dataset/index.ts";
import { describeLead } from "./describe-lead.ts";
import { ForecastCells } from "./forecast-cells.ts";
import type { Layout, LayoutRow } from "./layout.ts";

/** What stands in a cell of a view: one step of a granule. */
export interface ViewCell {
  readonly row: LayoutRow;
  /** From 0. */
  readonly step: number;
  readonly runMs: number;
  readonly leadMs: number;
}

/** A view of a forecast's runs: a dataset of its own, in a group of the product's store. */
export interface ViewLayout {
  readonly view: ForecastView;
  /** Its group: `/best`. */
  readonly group: string;
  /** `grid`: dimensions run and lead. `line`: the dimension of valid time. `runs`: the dimension run, all of one valid time. */
  readonly form: "grid" | "line" | "runs";
  /** Of the grid, runs and leads; of the others, their positions. */
  readonly lengths: readonly number[];
  /** In C order; null for a gap. */
  readonly cells: readonly (ViewCell | null)[];
  /** The valid time of every cell, of gaps too, milliseconds since 1970. */
  readonly validMs: readonly number[];
  /** Of the grid: its coordinates. Of `runs`: run and lead of every position, of gaps too. */
  readonly runsMs: readonly number[];
  readonly leadsMs: readonly number[];
}

/**
 * The views of a forecast: a pure function of what stands in its cells.
 *
 * `best` has, for each valid time, a nowcast where there is one, else a forecast; of these the one of the newest run, among forecasts
 * those with at least `leastLeadMs`. Its line has every step from the first valid time to the last; of a product from which runs expire,
 * from the first one that its first run can have. `whole` is the same of those runs alone
 * of which every cell stands. `latest` is the newest run of
 * which anything stands. In the views by lead, and of one valid time, a nowcast stands before a forecast of the same run and lead.
 * `recent` has the valid times of which anything stands that are at most so far from the newest run, on either side.
 *
 * @param layout slots of `steps` cells each; its origin is a place.
 */
export function viewsOf(layout: Layout, product: ForecastProduct, steps: number): ViewLayout[] {
  const table = new RunTable(layout, product, steps);
  const views = product.views.flatMap((view) => layoutsOf(view, table));
  // A valid time that is declared may also be a recent one.
  return [...new Map(views.map((view) => [view.group, view])).values()];
}

function layoutsOf(view: ForecastView, table: RunTable): ViewLayout[] {
  switch (view.kind) {
    case "fmrc":
      return [table.grid(view)];
    case "best":
    case "whole":
      return [table.best(view)];
    case "latest": {
      const newest = table.newest();
      return newest === undefined ? [table.empty(view)] : [table.run(view, groupOfView(view), newest)];
    }
    case "run":
      return table
        .presentRuns()
        .map((run) => table.run(view, `${groupOfView(view)}/${runName(table.runsMs[run] as number)}`, run));
    case "offset":
      return [table.offset(view)];
    case "valid":
      return [table.valid(view, view.validMs)];
    case "recent":
      return table.validTimesWithin(view.withinMs).map((validMs) => table.valid(view, validMs));
  }
}

/**
 * Where a view lies in the group of its epoch: `/best`, `/offset/6h`, `/valid/20240101T0600Z`; of `run` and `recent`, what the groups of
 * the runs and of the valid times lie in.
 */
export function groupOfView(view: ForecastView): string {
  switch (view.kind) {
    case "offset":
      return `/offset/${describeLead(view.leadMs)}`;
    case "valid":
      return `/valid/${runName(view.validMs)}`;
    case "recent":
      return "/valid";
    default:
      return `/${view.kind}`;
  }
}

/** A run, or another instant, as a name of a group: `20240101T0600Z`. */
export function runName(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace(/[-:]/g, "")}Z`;
}

/** Name of the grid's first dimension, and of the coordinate that says the run everywhere. */
export const RUN = "run";

/** How the grid's manifests are split: whole runs, about as many positions to a manifest as along a line. */
export function runSplit({ runs, split }: ForecastProduct): { readonly dimension: string; readonly chunks: number } {
  return { dimension: RUN, chunks: Math.max(1, Math.floor(split / ForecastCells.of(runs).leads().length)) };
}

/** The cells of all runs by run and lead. */
class RunTable {
  readonly runsMs: readonly number[];
  readonly #leadsMs: readonly number[];
  readonly #leadIndex: ReadonlyMap<number, number>;
  /** By run, then by lead. */
  readonly #cells: (ViewCell | null)[];
  /** Candidates for `best`, in the order of the cells. */
  readonly #candidates: { readonly cell: ViewCell; readonly isNowcast: boolean }[] = [];
  /** Runs of which every cell stands. */
  readonly #wholeRuns: ReadonlySet<number>;
  readonly #product: ForecastProduct;

  constructor(layout: Layout, product: ForecastProduct, steps: number) {
    const places = ForecastCells.of(product.runs);
    const { originMs: origin } = layout;
    const runs = Math.ceil((layout.slots * steps) / places.perRun);
    this.#product = product;
    this.runsMs = Array.from({ length: runs }, (_, run) => places.at((origin ?? 0) + run * places.perRun).runMs);
    this.#leadsMs = places.leads();
    this.#leadIndex = new Map(this.#leadsMs.map((ms, index) => [ms, index]));
    this.#cells = new Array<ViewCell | null>(runs * this.#leadsMs.length).fill(null);
    const standing = new Map<number, number>();
    for (const [slot, row] of layout.rows()) {
      for (let step = 0; step < steps; step++) {
        const { runMs, leadMs, isNowcast } = places.at((origin ?? 0) + slot * steps + step);
        const cell = { row, step, runMs, leadMs };
        const run = Math.floor((slot * steps + step) / places.perRun);
        const at = run * this.#leadsMs.length + (this.#leadIndex.get(leadMs) as number);
        // Nowcasts come first, and stay.
        this.#cells[at] ??= cell;
        if (isNowcast || leadMs >= product.leastLeadMs) this.#candidates.push({ cell, isNowcast });
        standing.set(runMs, (standing.get(runMs) ?? 0) + 1);
      }
    }
    this.#wholeRuns = new Set([...standing].flatMap(([runMs, cells]) => (cells === places.perRun ? [runMs] : [])));
  }

  grid(view: ForecastView): ViewLayout {
    const { runsMs } = this;
    const leadsMs = this.#leadsMs;
    const validMs = runsMs.flatMap((runMs) => leadsMs.map((leadMs) => runMs + leadMs));
    const lengths = [runsMs.length, leadsMs.length];
    return { view, group: groupOfView(view), form: "grid", lengths, cells: this.#cells, validMs, runsMs, leadsMs };
  }

  best(view: ForecastView): ViewLayout {
    const chosen = new Map<number, { cell: ViewCell; isNowcast: boolean }>();
    for (const candidate of this.#candidates) {
      if (view.kind === "whole" && !this.#wholeRuns.has(candidate.cell.runMs)) continue;
      const validMs = candidate.cell.runMs + candidate.cell.leadMs;
      const rival = chosen.get(validMs);
      if (rival === undefined || candidate.isNowcast || (!rival.isNowcast && rival.cell.runMs <= candidate.cell.runMs))
        chosen.set(validMs, candidate);
    }
    const present = [...chosen.keys()].sort((a, b) => a - b);
    const [first] = this.runsMs;
    // Where runs expire, positions stay for all that: the line begins where the first run could have begun it.
    const isFixed = this.#product.keep !== undefined && first !== undefined && present.length > 0;
    const validMs = everyStep(isFixed ? [first + this.#leastOfBest(), ...present] : present, this.#validStepMs());
    return line(
      view,
      groupOfView(view),
      validMs,
      validMs.map((ms) => chosen.get(ms)?.cell ?? null),
    );
  }

  run(view: ForecastView, group: string, run: number): ViewLayout {
    const leads = this.#leadsMs.length;
    const cells = this.#cells.slice(run * leads, (run + 1) * leads);
    const validMs = this.#leadsMs.map((leadMs) => (this.runsMs[run] as number) + leadMs);
    return line(view, group, validMs, cells);
  }

  offset(view: ForecastView & { kind: "offset" }): ViewLayout {
    const leads = this.#leadsMs.length;
    const lead = this.#leadIndex.get(view.leadMs) as number;
    const cells = this.runsMs.map((_, run) => this.#cells[run * leads + lead] ?? null);
    const validMs = this.runsMs.map((runMs) => runMs + view.leadMs);
    return line(view, groupOfView(view), validMs, cells);
  }

  /** What each run says of a moment that has a lead for it. */
  valid(view: ForecastView, validMs: number): ViewLayout {
    const leads = this.#leadsMs.length;
    const found = this.runsMs.flatMap((runMs, run) => {
      const lead = this.#leadIndex.get(validMs - runMs);
      return lead === undefined ? [] : [{ runMs, leadMs: validMs - runMs, cell: this.#cells[run * leads + lead] ?? null }];
    });
    return {
      view,
      group: groupOfView({ kind: "valid", validMs }),
      form: "runs",
      lengths: [found.length],
      cells: found.map(({ cell }) => cell),
      validMs: found.map(() => validMs),
      runsMs: found.map(({ runMs }) => runMs),
      leadsMs: found.map(({ leadMs }) => leadMs),
    };
  }

  /** Valid times of which anything stands that are at most so far from the newest run, ascending. */
  validTimesWithin(ms: number): number[] {
    const newest = this.newest();
    if (newest === undefined) return [];
    const newestMs = this.runsMs[newest] as number;
    const standing = this.#cells.flatMap((cell) => (cell === null ? [] : [cell.runMs + cell.leadMs]));
    return [...new Set(standing)].filter((validMs) => Math.abs(validMs - newestMs) <= ms).sort((a, b) => a - b);
  }

  empty(view: ForecastView): ViewLayout {
    return line(view, groupOfView(view), [], []);
  }

  /** Runs of which anything stands, ascending. */
  presentRuns(): number[] {
    const leads = this.#leadsMs.length;
    return [...this.runsMs.keys()].filter((run) =>
      this.#cells.slice(run * leads, (run + 1) * leads).some((cell) => cell !== null),
    );
  }

  newest(): number | undefined {
    return this.presentRuns().at(-1);
  }

  /** The shortest lead of what may be best. */
  #leastOfBest(): number {
    const { nowcast, leadsMs } = this.#product.runs;
    const nowcasts = nowcast?.leadsMs.map((ms) => ms + nowcast.offsetMs) ?? [];
    return Math.min(...nowcasts, ...leadsMs.filter((ms) => ms >= this.#product.leastLeadMs));
  }

  /** The longest step on which every valid time of every run lies; undefined where runs have no fixed step. */
  #validStepMs(): number | undefined {
    const { cycle, leadsMs, nowcast } = this.#product.runs;
    if (cycle.kind !== "fixed") return undefined;
    const leads = [...leadsMs, ...(nowcast?.leadsMs.map((ms) => ms + nowcast.offsetMs) ?? [])];
    const [first = 0] = leads;
    return leads.reduce((step, ms) => greatestDivisor(step, Math.abs(ms - first)), cycle.everyMs);
  }
}

function line(view: ForecastView, group: string, validMs: readonly number[], cells: readonly (ViewCell | null)[]): ViewLayout {
  return { view, group, form: "line", lengths: [validMs.length], cells, validMs, runsMs: [], leadsMs: [] };
}

/** Every step from the first to the last; the instants themselves, each once, where there is no step. */
function everyStep(present: readonly number[], stepMs: number | undefined): readonly number[] {
  const first = present[0];
  const last = present.at(-1);
  if (stepMs === undefined || first === undefined || last === undefined) return [...new Set(present)];
  return Array.from({ length: (last - first) / stepMs + 1 }, (_, index) => first + index * stepMs);
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

/** Where a cell, counted in C order, is on the view's leading dimensions. */
export function viewIndex({ form, lengths }: ViewLayout, at: number): number[] {
  const [, columns = 1] = lengths;
  return form === "grid" ? [Math.floor(at / columns), at % columns] : [at];
}

/** A cell of a view that another publication shows otherwise. */
export interface ViewChange {
  /** In C order. */
  readonly at: number;
  readonly cell: ViewCell | null;
}

export interface ViewDifference {
  readonly wanted: ViewLayout;
  /** Its arrays are not there yet. */
  readonly isNew: boolean;
  /** It is not wanted any more: its group leaves the store. */
  readonly isGone: boolean;
  /** Cells before. */
  readonly from: number;
  readonly changes: readonly ViewChange[];
}

/**
 * What turns the stored views into the wanted ones, view by view; those that are no longer wanted (a run of which nothing stands any
 * more, a valid time that is recent no longer) come last.
 * @param forced granules by key that are written wherever they stand.
 */
export function differencesOf(
  stored: readonly ViewLayout[],
  wanted: readonly ViewLayout[],
  isFresh: boolean,
  forced: ReadonlySet<string> = new Set(),
): ViewDifference[] {
  const before = new Map(isFresh ? [] : stored.map((view) => [view.group, view]));
  const groups = new Set(wanted.map(({ group }) => group));
  const gone = [...before.values()].filter(({ group }) => !groups.has(group));
  const differences = wanted.map((view) => differenceOf(before.get(view.group), view, forced));
  const leaving = gone.map((view): ViewDifference => {
    const empty = { ...view, lengths: view.lengths.map(() => 0), cells: [], validMs: [], runsMs: [], leadsMs: [] };
    return { wanted: empty, isNew: false, isGone: true, from: view.cells.length, changes: [] };
  });
  return [...differences, ...leaving];
}

function differenceOf(before: ViewLayout | undefined, wanted: ViewLayout, forced: ReadonlySet<string>): ViewDifference {
  const changes: ViewChange[] = [];
  // With other leads every cell of a grid has another index; a product is rebuilt then.
  for (const [at, cell] of wanted.cells.entries()) {
    const isThere = before !== undefined && at < before.cells.length && isSamePlace(before, wanted, at);
    const isForced = cell !== null && forced.has(cell.row.key);
    if (!isThere || isForced || !isSameCell(before.cells[at] ?? null, cell)) changes.push({ at, cell });
  }
  return { wanted, isNew: before === undefined, isGone: false, from: before?.cells.length ?? 0, changes };
}

/** Whether a place stands for the same in both. */
function isSamePlace(before: ViewLayout, wanted: ViewLayout, at: number): boolean {
  return before.validMs[at] === wanted.validMs[at] && (wanted.form !== "runs" || before.runsMs[at] === wanted.runsMs[at]);
}

function isSameCell(a: ViewCell | null, b: ViewCell | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    a.row.key === b.row.key &&
    a.row.identity === b.row.identity &&
    a.row.scan.sha256 === b.row.scan.sha256 &&
    a.step === b.step &&
    a.runMs === b.runMs &&
    a.leadMs === b.leadMs
  );
}
