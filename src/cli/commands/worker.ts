import type { Command } from "commander";
import pino from "pino";
import { Announcer, Starters, snsTrustOf, startWebhook } from "../../starters/index.ts";
import { readSettings, startWorker } from "../../worker/index.ts";
import { warnOfSources } from "../doctor/warn-of-sources.ts";
import { interruptSignal } from "../interrupt.ts";
import { portOf } from "../port.ts";

interface Options {
  readonly webhook?: number;
  readonly withStarters?: boolean;
  readonly host: string;
  readonly home?: string;
}

const EXAMPLES = `
Examples:
  freshet worker                       run workflows and activities until Ctrl-C
  freshet worker --webhook 8080        and take announcements at http://127.0.0.1:8080/announce
  freshet worker --with-starters       and listen to every queue and broker that applied datasets name

FRESHET_WEBHOOK_TOKEN sets the bearer token that announcements must carry; FRESHET_WEBHOOK_HMAC the secret that they may be
signed with instead (X-Hub-Signature-256). FRESHET_WEBHOOK_SNS names topics of SNS, divided by commas, whose signed messages
need neither; FRESHET_WEBHOOK_SNS_CONFIRM=1 lets their subscriptions be confirmed. Logs are JSON lines on stderr.`;

export function configure(command: Command): void {
  command
    .option("--webhook <port>", "also take announcements by HTTP on this port (0: any free one)", portOf)
    .option("--with-starters", "also listen to the queues and brokers that applied datasets name")
    .option("--host <address>", "the address that the webhook listens on", "127.0.0.1")
    .option("--home <folder>", "where the ledger and the scans are (FRESHET_HOME, default .freshet)")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(options: Options): Promise<void> {
  const stopped = interruptSignal();
  const settings = readSettings(options);
  const log = pino({ level: process.env.FRESHET_LOG ?? "info" }, pino.destination(2));
  const worker = await startWorker(settings, {
    onLog: (level, message, facts) => (level === "ERROR" ? log.error(facts, message) : log.warn(facts, message)),
  });
  const webhook =
    options.webhook === undefined
      ? undefined
      : await startWebhook({
          announcer: new Announcer(worker.client, worker.ledger),
          host: options.host,
          port: options.webhook,
          token: process.env.FRESHET_WEBHOOK_TOKEN,
          hmac: process.env.FRESHET_WEBHOOK_HMAC,
          sns: snsTrustOf(process.env),
        }).catch(async (error: unknown) => {
          await worker.stop();
          throw error;
        });
  const starters = new AbortController();
  // A queue that refuses us does not end them: only a ledger or a server that they cannot begin with does.
  const starting =
    options.withStarters === true ? new Starters({ ...worker, log }).run(starters.signal) : new Promise<never>(() => undefined);
  const { temporalAddress, home } = settings;
  log.info({ temporalAddress, home, ledger: worker.ledger.uri, webhook: webhook?.url }, "worker runs");
  const over = new AbortController();
  const warned = warnOfSources(worker.ledger, log, over.signal);
  const interrupted = new Promise<"interrupted">((resolve) => {
    stopped.addEventListener("abort", () => resolve("interrupted"), { once: true });
  });
  const failed = starting.then(
    () => undefined,
    (error: unknown) => error,
  );
  const ended = await Promise.race([worker.done.then(() => "done" as const), interrupted, failed.then(() => "failed" as const)]);
  log.info({ why: ended }, "worker stops: running activities get ten seconds");
  await webhook?.close();
  starters.abort();
  over.abort();
  await warned;
  const failure = options.withStarters === true ? await failed : undefined;
  await worker.stop();
  if (failure !== undefined) throw failure;
  if (ended === "interrupted") stopped.throwIfAborted();
}
