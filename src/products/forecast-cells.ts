import { createHash } from "node:crypto";
import { positionOf, type Runs, timeAt } from "../dataset/index.ts";
import { describeLead } from "./describe-lead.ts";
import { instant } from "./granule-shape.ts";

/** A cell of a forecast: what one run says of one moment. */
export interface Cell {
  /** Forecast reference time, milliseconds since 1970. */
  readonly runMs: number;
  /** Forecast period: valid time less forecast reference time, milliseconds; negative in nowcasts. */
  readonly leadMs: number;
  readonly isNowcast: boolean;
}

/** What a granule's name says of the run that it belongs to. */
export interface RunOfGranule {
  readonly runMs: number;
  readonly kind: string | number | undefined;
}

const counted = new WeakMap<Runs, ForecastCells>();

/**
 * The cells of a forecast, counted: those of one run stand side by side, its nowcasts before its forecasts, each by lead; runs
 * follow each other as they do in time. A cell's number is its place, 0 being the first one of the cycle's anchor.
 */
export class ForecastCells {
  /** Cells of each run. */
  readonly perRun: number;
  readonly #runs: Runs;
  /** Leads of the cells of a run, in the order of the cells. */
  readonly #leads: readonly number[];
  readonly #nowcasts: number;
  readonly #cellOfLead: { readonly nowcast: ReadonlyMap<number, number>; readonly forecast: ReadonlyMap<number, number> };

  /** The cells of these runs. Plain data that never change: they are counted once, not for every granule. */
  static of(runs: Runs): ForecastCells {
    const known = counted.get(runs);
    if (known !== undefined) return known;
    const cells = new ForecastCells(runs);
    counted.set(runs, cells);
    return cells;
  }

  private constructor(runs: Runs) {
    const nowcasts = runs.nowcast?.leadsMs.map((ms) => ms + (runs.nowcast?.offsetMs ?? 0)) ?? [];
    this.#runs = runs;
    this.#leads = [...nowcasts, ...runs.leadsMs];
    this.#nowcasts = nowcasts.length;
    this.perRun = this.#leads.length;
    this.#cellOfLead = {
      nowcast: new Map(nowcasts.map((ms, cell) => [ms, cell])),
      forecast: new Map(runs.leadsMs.map((ms, index) => [ms, nowcasts.length + index])),
    };
  }

  /**
   * Where a granule stands that has these valid times: the place of its first step.
   * @returns the reason, where it has no place: a run off the cycle, a lead that no run has, steps that are not the run's.
   */
  placeOf({ runMs, kind }: RunOfGranule, validMs: readonly number[]): number | string {
    const begin = this.placeOfRun(runMs);
    if (begin === undefined) return `run ${instant(runMs)}, which is not one of the cycle`;
    const isNowcast = this.#runs.nowcast !== undefined && kind === this.#runs.nowcast.kind;
    const known = isNowcast ? this.#cellOfLead.nowcast : this.#cellOfLead.forecast;
    const cells = validMs.map((ms) => known.get(ms - runMs));
    const missing = cells.indexOf(undefined);
    const what = isNowcast ? "nowcast" : "forecast";
    if (missing >= 0)
      return `valid ${instant(validMs[missing] as number)}, lead ${describeLead((validMs[missing] as number) - runMs)}, which no ${what} of a run has`;
    const first = cells[0] as number;
    if (cells.some((cell, step) => cell !== first + step)) return "its steps are not those of the run";
    if (first % validMs.length !== 0 || this.perRun % validMs.length !== 0)
      return `${validMs.length} steps from step ${first + 1} of the run's ${this.perRun} on: files of so many steps do not tile it`;
    return begin + first;
  }

  /** The cell at a place. */
  at(place: number): Cell {
    const index = ((place % this.perRun) + this.perRun) % this.perRun;
    const run = (place - index) / this.perRun;
    return {
      runMs: timeAt(this.#runs.cycle, run, this.#runs.cycle.anchorMs),
      leadMs: this.#leads[index] as number,
      isNowcast: index < this.#nowcasts,
    };
  }

  /** The first place of a run; undefined for one that is not of the cycle. */
  placeOfRun(runMs: number): number | undefined {
    const run = positionOf(this.#runs.cycle, runMs, this.#runs.cycle.anchorMs);
    return run === undefined ? undefined : run * this.perRun;
  }

  /** The first place of the run that a place belongs to. */
  beginOfRun(place: number): number {
    return Math.floor(place / this.perRun) * this.perRun;
  }

  /** The leads of all cells, each once, ascending. */
  leads(): readonly number[] {
    return [...new Set(this.#leads)].sort((a, b) => a - b);
  }

  /** A text that changes when, and only when, places stand for other cells. */
  get meaning(): string {
    const { cycle, leadsMs, nowcast } = this.#runs;
    const every = cycle.kind === "fixed" ? `${cycle.everyMs} ms` : `${cycle.months} months`;
    const leads = createHash("sha256")
      .update(JSON.stringify([leadsMs, nowcast?.offsetMs, nowcast?.leadsMs]))
      .digest("hex");
    return `runs every ${every} from ${cycle.anchorMs}, ${this.perRun} cells ${leads.slice(0, 16)}`;
  }
}
