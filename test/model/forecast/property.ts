import { diceOf } from "./dice.ts";
import { playStore } from "./play-store.ts";
import { playViews, type Sequence, sequenceOf } from "./play-views.ts";

/** Of so many sequences one is played through a real ledger and store too. */
export const STORED_ONE_IN = 40;

type Play = (sequence: Sequence, tally: Map<string, number>) => Promise<void>;

/**
 * Plays the sequence of a seed: against the pure part, or through a real ledger and a real store. Answers, for people, the shortest that
 * fails, where it fails.
 */
export async function findDisagreement(seed: number, tally: Map<string, number>, isStored = false): Promise<string | undefined> {
  const sequence = sequenceOf(seed, isStored ? 14 : undefined);
  const play: Play = isStored ? (each, count) => playStore(each, diceOf(seed), count) : playViews;
  const error = await failure(play, sequence, tally);
  if (error === undefined) return undefined;
  let { events } = sequence;
  let last = error;
  // One event after the other is left out, as long as it goes on failing.
  for (let index = events.length - 1; index >= 0; index--) {
    const fewer = events.toSpliced(index, 1);
    const failed = await failure(play, { ...sequence, events: fewer }, new Map());
    if (failed === undefined) continue;
    events = fewer;
    last = failed;
  }
  const lines = events.map((event, index) => `  ${index} ${JSON.stringify(event)}`);
  const head = `forecast${isStored ? " in a store" : ""}, seed ${seed}; the shortest sequence (${events.length}):`;
  return [head, sequence.declared.yaml, ...lines, last.stack, `again: npm run model -- --forecast --seed ${seed}`].join("\n");
}

async function failure(play: Play, sequence: Sequence, tally: Map<string, number>): Promise<Error | undefined> {
  try {
    await play(sequence, tally);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
