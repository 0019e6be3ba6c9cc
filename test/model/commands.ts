/** At which step from now the process dies, counted from 0, and what becomes of what it was doing. */
export interface Death {
  readonly atStep: number;
  /** Tried again at once; after other things of other granules; or given up, which only an operator's request can be. */
  readonly next: "now" | "later" | "never";
}

/** One thing that happens. `pick` chooses among what there is then, so that a sequence stays one when parts of it are left out. */
export type Command = { readonly death?: Death } & (
  | {
      readonly do: "put";
      readonly day: number;
      readonly station: "a" | "b";
      readonly form: number;
      readonly place: "p" | "q";
      readonly checksum: "none" | "right" | "wrong";
    }
  | { readonly do: "announce again"; readonly pick: number; readonly checksum: "none" | "right" | "wrong" }
  | { readonly do: "withdraw"; readonly pick: number }
  | { readonly do: "decide"; readonly pick: number; readonly action: "retry" | "skip" | "accept" }
  | { readonly do: "settle" }
  | { readonly do: "plan" }
  | { readonly do: "publish the old plan" }
  | { readonly do: "rollback"; readonly pick: number; readonly dryRun: boolean }
  | { readonly do: "release" }
  | { readonly do: "rebuild"; readonly limit: number | undefined; readonly dryRun: boolean }
  | { readonly do: "rebuild range"; readonly from: number; readonly to: number; readonly limit: number | undefined }
  | { readonly do: "candidate" }
  | { readonly do: "upkeep"; readonly dryRun: boolean }
  | { readonly do: "end at"; readonly to: number | undefined }
  | { readonly do: "begin at"; readonly from: number | undefined }
  | { readonly do: "restart"; readonly ledger: boolean }
);

export const DAYS = 8;
const SHORTEST = 12;
const LONGEST = 30;

/** Numbers from 0 (inclusive) to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The sequence of a seed. */
export function commandsOf(seed: number): Command[] {
  const random = randomFrom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const oneOf = <Choice>(...choices: readonly Choice[]): Choice => choices[below(choices.length)] as Choice;
  const chance = (part: number): boolean => random() < part;
  const checksum = () => (chance(0.05) ? "wrong" : oneOf("none", "none", "right"));
  const day = (): number => 1 + below(DAYS);
  const makers: readonly (readonly [lots: number, make: () => Command])[] = [
    [
      30,
      () => ({
        do: "put",
        day: day(),
        station: chance(0.75) ? "a" : "b",
        form: chance(0.8) ? 0 : 1 + below(2),
        place: oneOf("p", "p", "q"),
        checksum: checksum(),
      }),
    ],
    [8, () => ({ do: "announce again", pick: below(100), checksum: checksum() })],
    [6, () => ({ do: "withdraw", pick: below(100) })],
    [10, () => ({ do: "decide", pick: below(100), action: oneOf("retry", "skip", "accept", "accept") })],
    [26, () => ({ do: "settle" })],
    [4, () => ({ do: "plan" })],
    [5, () => ({ do: "publish the old plan" })],
    [5, () => ({ do: "rollback", pick: below(100), dryRun: chance(0.2) })],
    [2, () => ({ do: "release" })],
    [4, () => ({ do: "rebuild", limit: chance(0.2) ? 1 + below(4) : undefined, dryRun: chance(0.2) })],
    [3, () => ({ do: "rebuild range", from: day(), to: day(), limit: chance(0.3) ? 1 + below(2) : undefined })],
    [3, () => ({ do: "candidate" })],
    [3, () => ({ do: "upkeep", dryRun: chance(0.2) })],
    [2, () => ({ do: "end at", to: chance(0.5) ? undefined : day() })],
    [3, () => ({ do: "begin at", from: chance(0.4) ? undefined : 1 + below(4) })],
    [2, () => ({ do: "restart", ledger: chance(0.3) })],
  ];
  const lots = makers.flatMap(([count, make]) => Array.from({ length: count }, () => make));
  const any = (): Command => oneOf(...lots)();
  const commands: Command[] = [];
  const length = SHORTEST + below(LONGEST - SHORTEST);
  let isHeld = false;
  while (commands.length < length) {
    // What is held is released some day: the longer part of a life is led without.
    const command: Command = isHeld && chance(0.25) ? { do: "release" } : any();
    if (command.do === "rollback" || command.do === "release") isHeld = command.do === "rollback";
    const death: Death = { atStep: below(9), next: oneOf("now", "later", "later", "never") };
    commands.push(chance(command.do === "settle" ? 0.3 : 0.15) ? { ...command, death } : command);
  }
  return commands;
}
