import { Argument, type Command } from "commander";
import pino from "pino";
import { STARTER_KINDS, type StarterKind, Starters } from "../../starters/index.ts";
import { readSettings } from "../../worker/settings.ts";
import { interruptSignal } from "../interrupt.ts";
import { withSession } from "../session.ts";

interface Options {
  readonly home?: string;
}

const EXAMPLES = `
Examples:
  freshet starter sqs                  listen to every SQS queue that applied datasets name, until Ctrl-C
  freshet starter amqp hpfx            only to the broker of the source hpfx
  freshet worker --with-starters       all of them, in the worker's process

A message leaves its queue when Temporal holds what it announces. Several processes may listen to one queue. Datasets that are
applied meanwhile are heard of within ten seconds. Ctrl-C finishes what is under way; what is not yet held stays in its queue.
Logs are JSON lines on stderr: one when a queue goes or comes back, one every minute with counts. See docs/sources.md.`;

export function configure(command: Command): void {
  command
    .addArgument(new Argument("<kind>", "how messages come").choices(STARTER_KINDS))
    .argument("[source...]", "only queues of these sources")
    .option("--home <folder>", "where the ledger is (FRESHET_HOME, default .freshet)")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(kind: StarterKind, sources: readonly string[], options: Options): Promise<void> {
  const signal = interruptSignal();
  const log = pino({ level: process.env.FRESHET_LOG ?? "info" }, pino.destination(2));
  await withSession(readSettings(options), async (session) => {
    const [client, ledger] = [await session.client(), await session.ledger()];
    await new Starters({ client, ledger, log, kind, sources, isAlone: true }).run(signal);
  });
  signal.throwIfAborted();
}
