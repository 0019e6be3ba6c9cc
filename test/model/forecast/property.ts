import { playViews, type Sequence, sequenceOf } from "./play-views.ts";

/** Plays the sequence of a seed. Answers, for people, the shortest that fails, where it fails. */
export async function findDisagreement(seed: number, tally: Map<string, number>): Promise<string | undefined> {
  const sequence = sequenceOf(seed);
  const error = await failure(sequence, tally);
  if (error === undefined) return undefined;
  let { events } = sequence;
  let last = error;
  // One event after the other is left out, as long as it goes on failing.
  for (let index = events.length - 1; index >= 0; index--) {
    const fewer = events.toSpliced(index, 1);
    const failed = await failure({ ...sequence, events: fewer }, new Map());
    if (failed === undefined) continue;
    events = fewer;
    last = failed;
  }
  const lines = events.map((event, index) => `  ${index} ${JSON.stringify(event)}`);
  const head = `forecast, seed ${seed}; the shortest sequence (${events.length}):`;
  return [head, sequence.declared.yaml, ...lines, last.stack, `again: npm run model -- --forecast --seed ${seed}`].join("\n");
}

async function failure(sequence: Sequence, tally: Map<string, number>): Promise<Error | undefined> {
  try {
    await playViews(sequence, tally);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
