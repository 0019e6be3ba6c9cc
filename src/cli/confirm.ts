import { createInterface } from "node:readline/promises";
import { FreshetError } from "../errors/index.ts";
import { interruptSignal } from "./interrupt.ts";

/**
 * Asks on a terminal whether to go on; `isAgreed` (`--yes`) answers for who is not there to be asked.
 * @param change what readers will see then, a sentence.
 * @throws FreshetError `usage` where nobody can be asked, or the answer is no; an AbortError at Ctrl-C.
 */
export async function confirm(change: string, isAgreed: boolean): Promise<void> {
  if (isAgreed) return;
  const { stdin, stderr } = process;
  if (stdin.isTTY !== true || stderr.isTTY !== true) {
    const summary = `${change.replace(/\.$/, "")}, and nobody can be asked`;
    throw new FreshetError("usage", summary, { remedy: "Say --yes, or --dry-run to look at it first" });
  }
  const questions = createInterface({ input: stdin, output: stderr });
  try {
    const answer = await questions.question(`${change}\nGo on? [y/N] `, { signal: interruptSignal() });
    if (/^(y|yes)$/i.test(answer.trim())) return;
  } finally {
    questions.close();
  }
  throw new FreshetError("usage", "nothing was changed");
}
