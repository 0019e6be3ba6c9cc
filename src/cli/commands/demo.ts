import { join } from "node:path";
import type { Command } from "commander";
import { runDemo } from "../demo/run-demo.ts";
import { interruptSignal } from "../interrupt.ts";

const EXAMPLES = `
Examples:
  freshet demo                     watch real granules become two datasets that readers open
  freshet demo --keep              the same, and leave everything running: Temporal's UI, webhook, worker
  freshet demo --folder DIR        keep it in DIR and go on there the next time

It starts a Temporal dev server (or uses TEMPORAL_ADDRESS), a worker, and an agency that behaves as agencies do: out of
order, one granule announced twice, one announced before it is there, one cut off and corrected, one replaced, one packed
otherwise than those before it, which waits for a decision. Without --folder the folder .freshet/demo is
made afresh each time; a folder that no demo has made is never touched.`;

export function configure(command: Command): void {
  command
    .option("--keep", "leave everything running until Ctrl-C, and print the addresses")
    .option("--folder <dir>", "keep everything in this folder, and go on from what is there")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(options: { readonly keep?: boolean; readonly folder?: string }): Promise<void> {
  await runDemo({
    folder: options.folder ?? join(process.env.FRESHET_HOME ?? ".freshet", "demo"),
    isFresh: options.folder === undefined,
    keep: options.keep === true,
    signal: interruptSignal(),
  });
}
