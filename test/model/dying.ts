import { onStep, type Step } from "../../src/steps/index.ts";

/** A process that was ended at a step. */
export class Died extends Error {
  readonly step: Step;

  constructor(step: Step) {
    super(`the process died at "${step}"`);
    this.step = step;
  }
}

/**
 * Does some work in a process that dies at the `atStep`-th step from now (from 0), or not, where that is undefined or not
 * reached. From then on it reaches no step more. Answers what the work does.
 */
export async function mortal<Answer>(atStep: number | undefined, work: () => Promise<Answer>): Promise<Answer | Died> {
  if (atStep === undefined) return work();
  let died: Died | undefined;
  let left = atStep;
  const stop = onStep((step) => {
    died ??= left-- === 0 ? new Died(step) : undefined;
    if (died !== undefined) throw died;
  });
  try {
    const answer = await work();
    return died ?? answer;
  } catch (error) {
    if (died !== undefined) return died;
    throw error;
  } finally {
    stop();
  }
}
