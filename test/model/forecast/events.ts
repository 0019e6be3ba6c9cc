import type { NameFields } from "../../../src/ledger/index.ts";
import type { Dice } from "./dice.ts";
import { type Declared, runOf } from "./forecast-file.ts";
import type { ModelGranule } from "./forecast-model.ts";

/** What happens to a forecast, one thing after the other. */
export type ForecastEvent =
  | { readonly do: "arrive"; readonly granule: ModelGranule }
  | { readonly do: "withdraw"; readonly granule: ModelGranule }
  /** What came is published, before anything else comes. */
  | { readonly do: "publish" }
  | { readonly do: "roll back"; readonly versions: number }
  | { readonly do: "rebuild" }
  /** Another process: nothing is remembered. */
  | { readonly do: "restart" };

/** Files of some runs: in any order, with holes, some twice, some with other bytes, some of other runs and leads, some taken back. */
export function eventsOf(declared: Declared, dice: Dice, most: number): ForecastEvent[] {
  const events: ForecastEvent[] = [];
  const came: ModelGranule[] = [];
  const firstRun = dice.below(4);
  const eagerness = dice.oneOf([0.1, 0.4, 1]);
  for (let count = 3 + dice.below(most - 3); events.length < count; ) {
    const lot = dice.below(100);
    if (lot < 12 && came.length > 0) events.push({ do: "withdraw", granule: dice.oneOf(came) });
    else if (lot < 15) events.push({ do: "publish" }, { do: "roll back", versions: 1 + dice.below(3) });
    else if (lot < 18) events.push({ do: "publish" }, { do: "rebuild" });
    else if (lot < 21) events.push({ do: "restart" });
    else {
      const granule = granuleOf(declared, dice, firstRun, came.length);
      came.push(granule);
      events.push({ do: "arrive", granule });
    }
    if (dice.chance(eagerness)) events.push({ do: "publish" });
  }
  return [...events, { do: "publish" }];
}

function granuleOf(declared: Declared, dice: Dice, firstRun: number, number: number): ModelGranule {
  const { nowcastHours, leadHours, steps } = declared;
  const isNowcast = nowcastHours.length > 0 && dice.chance(0.4);
  const all = isNowcast ? nowcastHours : leadHours;
  // One in ten lies between files, beyond the last lead, or beside the cycle.
  const isOdd = dice.chance(0.1);
  const first = isOdd ? dice.below(all.length + 2) : dice.below(all.length / steps) * steps;
  const begin = all[first] ?? (all.at(-1) as number) + 1;
  const hours = Array.from({ length: steps }, (_, step) => all[first + step] ?? begin + step);
  const runMs = runOf(declared, firstRun + dice.below(5)) + (isOdd && dice.chance(0.5) ? 1_800_000 : 0);
  const copy = dice.chance(0.9) ? 1 : 2;
  return { key: `${runMs}${isNowcast ? "n" : "f"}${begin}.${copy}`, identity: `bytes ${number}`, runMs, isNowcast, hours };
}

/** What its name says. */
export function fieldsOf({ runMs, isNowcast, hours }: ModelGranule): NameFields {
  return { run: runMs, kind: isNowcast ? "n" : "f", valid: runMs + (hours[0] as number) * 3_600_000 };
}
