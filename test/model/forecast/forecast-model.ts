import type { Declared } from "./forecast-file.ts";

const HOUR_MS = 3_600_000;

/** A file of the model: some steps of one run. */
export interface ModelGranule {
  readonly key: string;
  readonly identity: string;
  /** Milliseconds since 1970. */
  readonly runMs: number;
  readonly isNowcast: boolean;
  /** Hours from the run to each step, ascending. */
  readonly hours: readonly number[];
}

/** What a reader should find in a cell. */
export interface ModelCell {
  readonly granule: ModelGranule;
  readonly step: number;
  readonly runMs: number;
  readonly hours: number;
}

/** A line of cells by valid time. */
export type ModelLine = ReadonlyMap<number, ModelCell | undefined>;

/** Forecasts as simply as they can be: a list of the files that stand, and every view looked up in it. */
export class ForecastModel {
  readonly #declared: Declared;
  #standing: ModelGranule[] = [];

  constructor(declared: Declared) {
    this.#declared = declared;
  }

  /** One of which this stands. */
  static of(declared: Declared, standing: readonly ModelGranule[]): ForecastModel {
    const model = new ForecastModel(declared);
    model.#standing = [...standing];
    return model;
  }

  get standing(): readonly ModelGranule[] {
    return this.#standing;
  }

  /** A file comes: it replaces what has its name, and what has its place. A file without a place changes nothing. */
  arrive(granule: ModelGranule): void {
    if (!this.hasPlace(granule)) return;
    const isGone = (other: ModelGranule): boolean =>
      other.key === granule.key ||
      (other.runMs === granule.runMs && other.isNowcast === granule.isNowcast && other.hours[0] === granule.hours[0]);
    this.#standing = [...this.#standing.filter((other) => !isGone(other)), granule];
  }

  withdraw(key: string, identity: string): void {
    this.#standing = this.#standing.filter((granule) => granule.key !== key || granule.identity !== identity);
  }

  /** Files begin at every `steps`-th of a run's steps, and go on without a jump. */
  hasPlace({ runMs, isNowcast, hours }: ModelGranule): boolean {
    const { nowcastHours, leadHours, steps } = this.#declared;
    const all = isNowcast ? nowcastHours : leadHours;
    const first = all.indexOf(hours[0] as number);
    return this.#isRun(runMs) && first >= 0 && first % steps === 0 && hours.every((each, step) => all[first + step] === each);
  }

  /** Every cell that stands. */
  cells(): ModelCell[] {
    return this.#standing.flatMap((granule) =>
      granule.hours.map((hours, step) => ({ granule, step, runMs: granule.runMs, hours })),
    );
  }

  /** What a run says of one lead: its nowcast, if it has one of that, else its forecast. */
  at(runMs: number, hours: number): ModelCell | undefined {
    const both = this.cells().filter((cell) => cell.runMs === runMs && cell.hours === hours);
    return both.find(({ granule }) => granule.isNowcast) ?? both[0];
  }

  /** @param isWhole only runs that have everything count. */
  best(isWhole = false): ModelLine {
    const { leastHours } = this.#declared;
    const candidates = this.cells().filter(
      ({ granule, hours, runMs }) => (granule.isNowcast || hours >= leastHours) && (!isWhole || this.isWhole(runMs)),
    );
    const times = candidates.map(validOf);
    const line = new Map<number, ModelCell | undefined>();
    for (const ms of this.#everyStep(times)) {
      const rivals = candidates.filter((cell) => validOf(cell) === ms).sort((a, b) => b.runMs - a.runMs);
      line.set(ms, rivals.find(({ granule }) => granule.isNowcast) ?? rivals[0]);
    }
    return line;
  }

  run(runMs: number): ModelLine {
    return new Map(this.hours().map((hours) => [runMs + hours * HOUR_MS, this.at(runMs, hours)]));
  }

  isWhole(runMs: number): boolean {
    const { leadHours, nowcastHours } = this.#declared;
    return this.cells().filter((cell) => cell.runMs === runMs).length === leadHours.length + nowcastHours.length;
  }

  /** What these runs say of one moment, by run; those that have no lead for it are left out. */
  valid(validMs: number, runsMs: readonly number[]): ModelLine {
    const hours = this.hours();
    const having = runsMs.filter((runMs) => hours.includes((validMs - runMs) / HOUR_MS));
    return new Map(having.map((runMs) => [runMs, this.at(runMs, (validMs - runMs) / HOUR_MS)]));
  }

  /** Moments of which anything is there, at most `hours` from the newest run. */
  recent(hours: number): number[] {
    const newest = this.runs().at(-1) ?? 0;
    const near = this.cells()
      .map(validOf)
      .filter((ms) => Math.abs(ms - newest) <= hours * HOUR_MS);
    return [...new Set(near)].sort((a, b) => a - b);
  }

  runs(): number[] {
    return [...new Set(this.#standing.map(({ runMs }) => runMs))].sort((a, b) => a - b);
  }

  /** Every lead that any cell has, ascending. */
  hours(): number[] {
    return [...new Set([...this.#declared.leadHours, ...this.#declared.nowcastHours])].sort((a, b) => a - b);
  }

  #isRun(ms: number): boolean {
    const { cycleHours, atHour } = this.#declared;
    const date = new Date(ms);
    if (cycleHours === undefined) return date.getUTCDate() === 1 && date.getUTCHours() === atHour && ms % HOUR_MS === 0;
    return (ms / HOUR_MS - atHour) % cycleHours === 0;
  }

  /** Of runs at a fixed distance: every step of the widest grid of hours that all their valid times lie on. */
  #everyStep(times: readonly number[]): number[] {
    const first = Math.min(...times);
    const last = Math.max(...times);
    const { cycleHours } = this.#declared;
    if (cycleHours === undefined || times.length === 0) return [...new Set(times)].sort((a, b) => a - b);
    const hours = this.hours();
    let step = cycleHours;
    while (cycleHours % step !== 0 || hours.some((each) => (each - (hours[0] as number)) % step !== 0)) step--;
    const line: number[] = [];
    for (let ms = first; ms <= last; ms += step * HOUR_MS) line.push(ms);
    return line;
  }
}

export function validOf({ runMs, hours }: ModelCell): number {
  return runMs + hours * HOUR_MS;
}
