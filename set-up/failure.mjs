/** A step that could not be done: what failed, what was tried, what to do. Printed without a stack. */
export class SetUpFailure extends Error {
  /**
   * @param {string} what one sentence
   * @param {{ tried?: readonly string[], output?: string, remedy: string }} details `output` is what a failed program said last
   */
  constructor(what, { tried = [], output = "", remedy }) {
    super(what);
    this.tried = tried;
    this.output = output;
    this.remedy = remedy;
  }
}

/** The lines that tell a person about `failure`. */
export function describe(failure) {
  const lines = [`set-up: ${failure.message}`];
  if (failure.tried.length > 0) lines.push("  tried:", ...failure.tried.map((one) => `    - ${one}`));
  if (failure.output) lines.push("  it said:", ...failure.output.split("\n").map((line) => `    | ${line}`));
  lines.push(`  what to do: ${failure.remedy}`);
  return lines.join("\n");
}
