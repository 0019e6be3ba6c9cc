import { type Dataset, type ForecastProduct, parseDatasetFile } from "../../../src/dataset/index.ts";
import type { Dice } from "./dice.ts";

const HOUR_MS = 3_600_000;

/** What a random dataset file says of a model's runs, in the test's own words. */
export interface Declared {
  readonly yaml: string;
  /** Hours between runs; undefined: the first of each month. */
  readonly cycleHours: number | undefined;
  /** Hour of the day of one of the runs. */
  readonly atHour: number;
  readonly leadHours: readonly number[];
  /** Of nowcasts, hours from the run to their valid times. */
  readonly nowcastHours: readonly number[];
  readonly leastHours: number;
  /** Steps to a file. */
  readonly steps: number;
  readonly offsetHours: readonly number[];
  /** A moment of which all runs are shown, milliseconds since 1970. */
  readonly validMs: number;
  /** Around the newest run, moments of which all runs are shown. */
  readonly recentHours: number;
}

const CYCLES = ["1h", "3h", "6h", "12h", "1d", "1mo"] as const;
const HOURS: Readonly<Record<(typeof CYCLES)[number], number | undefined>> = {
  "1h": 1,
  "3h": 3,
  "6h": 6,
  "12h": 12,
  "1d": 24,
  "1mo": undefined,
};

/** A dataset file with a forecast: cycle, leads with changes of step, nowcasts, least lead, files of several steps. */
export function declare(dice: Dice, folder = "/data"): Declared {
  const cycle = dice.oneOf(CYCLES);
  const cycleHours = HOURS[cycle];
  const atHour = dice.below(Math.min(cycleHours ?? 24, 24));
  const from = dice.oneOf([0, 0, 1, 3]);
  const count = 1 + dice.below(6);
  const step = dice.oneOf([1, 1, 3]);
  const leads = Array.from({ length: count }, (_, index) => from + index * step);
  const texts = [`${from}h..${leads.at(-1)}h/${step}h`];
  if (dice.chance(0.4)) {
    const wider = dice.oneOf([2, 6]);
    const begin = (leads.at(-1) as number) + wider;
    const more = 1 + dice.below(3);
    texts.push(`${begin}h..${begin + (more - 1) * wider}h/${wider}h`);
    for (let index = 0; index < more; index++) leads.push(begin + index * wider);
  }
  const hasNowcast = dice.chance(0.5);
  const back = dice.oneOf([0, 3, 6]);
  const nowcasts = hasNowcast ? Array.from({ length: 1 + dice.below(4) }, (_, index) => index + 1) : [];
  const leastHours = dice.oneOf([0, 0, 1, 4]);
  const shared = commonDivisors(leads.length, nowcasts.length);
  const steps = dice.chance(0.6) ? 1 : dice.oneOf(shared);
  const nowcastHours = nowcasts.map((lead) => lead - back);
  const offsetHours = dice.chance(0.6) ? [dice.oneOf(leads)] : [];
  const nowcastText = hasNowcast
    ? `, nowcast: { kind: n, valid: run-${back}h+lead, leads: 1h..${nowcasts.length}h/1h }`.replace("run-0h", "run")
    : "";
  const validMs = runOf({ cycleHours, atHour }, 2 + dice.below(3)) + dice.oneOf([...leads, ...nowcastHours]) * HOUR_MS;
  const recentHours = dice.oneOf([1, 6, 24]);
  const valid = `{ valid: [${new Date(validMs).toISOString().replace(/:00.000Z$/, "Z")}, ${recentHours}h] }`;
  const offsets = offsetHours.map((hours) => `{ offset: ${hours}h }`);
  const views = ["best", "whole", "latest", "fmrc", "run", ...offsets, valid];
  const yaml = `
sources: { s: { at: "${folder}/in/" } }
---
name: model
from: { source: s }
match: "{run:%Y%m%dT%H}.{kind:n|f}{lead:4h}.{copy:int}.nc"
runs: { every: ${cycle}, at: "${String(atHour).padStart(2, "0")}:00Z", leads: [${texts.join(", ")}]${nowcastText} }
products: [ { forecast: { views: [${views.join(", ")}], least: ${leastHours}h, store: "${folder}/store" } } ]
`;
  return { yaml, cycleHours, atHour, leadHours: leads, nowcastHours, leastHours, steps, offsetHours, validMs, recentHours };
}

export function datasetOf({ yaml }: Declared, folder = "/data"): { dataset: Dataset; product: ForecastProduct } {
  const [dataset] = parseDatasetFile(yaml, { file: `${folder}/dataset.yaml` }).datasets;
  return { dataset: dataset as Dataset, product: dataset?.products[0] as ForecastProduct };
}

/** A run of the cycle, by its number, in milliseconds since 1970. */
export function runOf({ cycleHours, atHour }: Pick<Declared, "cycleHours" | "atHour">, number: number): number {
  if (cycleHours === undefined) return Date.UTC(2024, number, 1, atHour);
  return Date.UTC(2024, 1, 28, atHour) + number * cycleHours * HOUR_MS;
}

function commonDivisors(a: number, b: number): readonly number[] {
  return [1, 2, 3, 4, 5, 6].filter((divisor) => a % divisor === 0 && b % divisor === 0);
}
