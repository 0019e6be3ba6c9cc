import { type Command, commandsOf } from "./commands.ts";
import { play } from "./play.ts";
import type { Tally } from "./scene.ts";
import type { Keeping } from "./system.ts";

/** A sequence at which the system and its model disagree. */
export interface Counterexample {
  readonly seed: number;
  readonly keeping: Keeping;
  /** The shortest that was found with the same disagreement. */
  readonly commands: readonly Command[];
  readonly error: Error;
}

const KEEPINGS: readonly Keeping[] = ["mirror", "other names", "in place"];
/** Sequences that are tried to make one shorter. */
const MOST_TRIES = 300;

/** Plays the sequence of a seed. Answers the shortest one that fails, where it fails. */
export async function playSeed(seed: number, tally: Tally): Promise<Counterexample | undefined> {
  const keeping = KEEPINGS[seed % KEEPINGS.length] as Keeping;
  const commands = commandsOf(seed);
  const error = await failure(commands, keeping, tally);
  return error === undefined ? undefined : { seed, keeping, ...(await shortest(commands, keeping, error)) };
}

/** For people, with all that it takes to see it again. */
export function describe({ seed, keeping, commands, error }: Counterexample): string {
  const lines = commands.map((command, index) => `  ${index} ${JSON.stringify(command)}`);
  const causes: string[] = [];
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) causes.push(cause.stack ?? cause.message);
  return [
    `seed ${seed}, sources keep bytes: ${keeping}; the shortest sequence (${commands.length}):`,
    ...lines,
    ...causes,
    `again: npm run model -- --seed ${seed}`,
  ].join("\n");
}

async function failure(commands: readonly Command[], keeping: Keeping, tally: Tally): Promise<Error | undefined> {
  try {
    await play(commands, keeping, tally);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** Leaves out what the failure does not need: parts of halving length, from the end on. */
async function shortest(
  commands: readonly Command[],
  keeping: Keeping,
  error: Error,
): Promise<Pick<Counterexample, "commands" | "error">> {
  let best = { commands, error };
  let tries = 0;
  for (let length = Math.ceil(commands.length / 2); length >= 1; length = length === 1 ? 0 : Math.ceil(length / 2)) {
    for (let end = best.commands.length; end > 0 && tries < MOST_TRIES; end -= length) {
      const fewer = best.commands.toSpliced(Math.max(0, end - length), Math.min(length, end));
      tries++;
      const failed = await failure(fewer, keeping, new Map());
      if (failed !== undefined && kindOf(failed) === kindOf(error)) best = { commands: fewer, error: failed };
    }
  }
  return best;
}

/** What went wrong, without the numbers of this time. */
function kindOf(error: Error): string {
  const { cause } = error;
  const message = cause instanceof Error ? cause.message : error.message;
  return (message.split("\n")[0] ?? "").replace(/freshet-model-\w+|[0-9a-f]{8,}|[0-9A-Z]{20}|\d+/g, "#").slice(0, 60);
}
