import { randomFrom } from "../commands.ts";

/** Chances that are the same for the same seed. */
export interface Dice {
  /** A whole number from 0 (inclusive) to `limit` (exclusive). */
  below(limit: number): number;
  oneOf<Choice>(choices: readonly Choice[]): Choice;
  chance(part: number): boolean;
}

export function diceOf(seed: number): Dice {
  const random = randomFrom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  return {
    below,
    oneOf: (choices) => choices[below(choices.length)] as (typeof choices)[number],
    chance: (part) => random() < part,
  };
}
