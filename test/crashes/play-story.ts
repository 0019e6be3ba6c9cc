import { deepEqual, equal } from "node:assert/strict";
import type { Step } from "../../src/steps/index.ts";
import { CrashWorld, type CrashWorldOptions } from "./crash-world.ts";
import { type EndState, readEndState } from "./end-state.ts";
import type { Order } from "./order.ts";
import { type Act, type ActName, STORY } from "./scenario.ts";

/** What goes wrong, by act, in the order in which it does. */
export type Misfortunes = Readonly<Partial<Record<ActName, readonly Order[]>>>;

/** Something that was ordered, and how it went. */
export interface Hit extends Order {
  readonly act: string;
  readonly happened: boolean;
}

export interface Played {
  readonly end: EndState;
  readonly hits: readonly Hit[];
  /** How often each step was reached. */
  readonly reached: ReadonlyMap<Step, number>;
}

/**
 * Plays the whole story in a world of its own. A worker that slept wakes at the end of the act, beside its successor, and must change
 * nothing any more.
 */
export async function playStory(misfortunes: Misfortunes = {}, options: CrashWorldOptions = {}): Promise<Played> {
  const world = await CrashWorld.start(options);
  const hits: Hit[] = [];
  try {
    for (const act of STORY as readonly Act[]) {
      const orders = misfortunes[act.name as ActName] ?? [];
      const before = world.happened.length;
      if (orders.length > 0) world.order(orders);
      await act.play(world).catch((error: unknown) => {
        throw new Error(`${act.name}: ${(error as Error).message}`, { cause: error });
      });
      hits.push(
        ...orders.map((order) => ({
          ...order,
          act: act.name,
          happened: world.happened.slice(before).some((one) => isSame(one, order)),
        })),
      );
      await wakeSleepers(world, act.name);
    }
    return { end: await readEndState(world), hits, reached: world.reached };
  } finally {
    await world.stop();
  }
}

async function wakeSleepers(world: CrashWorld, act: string): Promise<void> {
  if (!world.hasSleepers(act)) return;
  const before = await readEndState(world);
  await world.wakeSleepers(act);
  deepEqual(await readEndState(world), before, "who woke has changed something");
}

function isSame(one: Order, other: Order): boolean {
  return one.step === other.step && one.mishap === other.mishap && one.time === other.time;
}

let undisturbed: Promise<Played> | undefined;

/** The story when nothing goes wrong; played once in a process. */
export function undisturbedStory(): Promise<Played> {
  undisturbed ??= playStory();
  return undisturbed;
}

/** Holds a disturbed story against the undisturbed one. @throws AssertionError where something was missed, lost or doubled. */
export async function requireSameEnd({ end, hits }: Played): Promise<void> {
  const missed = hits.filter(({ happened }) => !happened).map(({ step, act }) => `${step} (${act})`);
  equal(missed.join("; "), "", "steps that were not hit");
  deepEqual(end, (await undisturbedStory()).end);
}
