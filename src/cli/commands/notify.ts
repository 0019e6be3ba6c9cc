import { randomUUID } from "node:crypto";
import { WorkflowFailedError } from "@temporalio/client";
import type { Command } from "commander";
import type { NotificationOutcome } from "../../contract/index.ts";
import { parseDuration } from "../../dataset/index.ts";
import { FreshetError } from "../../errors/index.ts";
import { describeChannel } from "../../notify/index.ts";
import { publishedNotification } from "../../publication/index.ts";
import { startNotification } from "../../starters/index.ts";
import { readSettings } from "../../worker/settings.ts";
import { appliedDataset, oneProduct } from "../applied-dataset.ts";
import { EXIT } from "../failure.ts";
import { withSession } from "../session.ts";

interface Options {
  readonly product?: string;
  readonly sequence?: string;
  readonly wait: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly home?: string;
}

/** Versions that one may go back. */
const MOST_BACK = 10_000;

const EXAMPLES = `
Examples:
  freshet notify ostia                   tell everybody once more of the newest version
  freshet notify ostia --sequence 12     of version 12
  freshet notify ostia --dry-run         who would be told what

Everybody is told of a version at least once by itself; who hears it twice knows it by its id (DATASET/PRODUCT#SEQUENCE).`;

export function configure(command: Command): void {
  command
    .argument("<dataset>", "name of an applied dataset")
    .option("--product <name>", "of which product, where there are several")
    .option("--sequence <number>", "of which version, as freshet versions prints them (default: the newest)")
    .option("--wait <duration>", "how long to wait until all have been told", "1m")
    .option("--dry-run", "show who would be told what")
    .option("--json", "print one JSON object")
    .option("--home <folder>", "where the ledger is (FRESHET_HOME, default .freshet)")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(name: string, options: Options): Promise<void> {
  const waitMs = parseDuration(options.wait);
  if (waitMs === undefined)
    throw new FreshetError("usage", "--wait takes a duration", { found: options.wait, expected: "30s, 2m, 1h" });
  await withSession(readSettings(options), async (session) => {
    const ledger = await session.ledger();
    const { dataset, hash } = await appliedDataset(ledger, name);
    const product = oneProduct(dataset, options.product).name;
    const publications = await ledger.publications(name, product, options.sequence === undefined ? 1 : MOST_BACK);
    const publication = publications.find(({ sequence }) => options.sequence === undefined || `${sequence}` === options.sequence);
    if (publication === undefined) {
      throw new FreshetError("usage", "there is no such version", {
        found: options.sequence === undefined ? "nothing is published" : `#${options.sequence}`,
        path: `${name}/${product}`,
      });
    }
    const { sequence, snapshot: version, granules, atMs, kind = "publication" } = publication;
    const { length: changed } = await ledger.membersOf(name, product, sequence);
    const told = publishedNotification(dataset, { product, sequence, version, granules, changed, atMs }, kind);
    const channels = (dataset.notify ?? []).filter(({ when }) => when.includes("published")).map(({ channel }) => channel);
    if (channels.length === 0) {
      throw new FreshetError("usage", "nobody is to be told of versions", {
        path: name,
        remedy: "Name somebody under `notify` in the dataset file: { when: published, webhook: { url: … } }",
      });
    }
    if (options.dryRun === true) {
      if (options.json === true) console.log(JSON.stringify({ notification: told, channels: channels.map(describeChannel) }));
      else for (const channel of channels) console.log(`${describeChannel(channel)} would be told of ${told.id}`);
      return;
    }
    const input = { dataset: { name, hash }, notification: told };
    const handle = await startNotification(await session.client(), input, randomUUID());
    const outcomes = await withinTime(handle.result() as Promise<readonly NotificationOutcome[]>, waitMs);
    if (outcomes === undefined) {
      process.exitCode = EXIT.failed;
      console.error(
        `Not all have been told within ${options.wait}; it goes on: temporal workflow show --workflow-id '${handle.workflowId}'`,
      );
      return;
    }
    if (outcomes.some(({ trouble }) => trouble !== undefined)) process.exitCode = EXIT.failed;
    if (options.json === true) console.log(JSON.stringify({ notification: told, outcomes }));
    else
      for (const { shown, trouble } of outcomes)
        console.log(`${shown}: ${trouble === undefined ? `told of ${told.id}` : trouble}`);
  });
}

/** How the telling ended; undefined when it has not yet. */
async function withinTime(
  result: Promise<readonly NotificationOutcome[]>,
  waitMs: number,
): Promise<readonly NotificationOutcome[] | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, waitMs, undefined);
  });
  try {
    return await Promise.race([result.catch(outcomesOf), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a notification that failed says of each channel. */
function outcomesOf(error: unknown): readonly NotificationOutcome[] {
  const details =
    error instanceof WorkflowFailedError ? (error.cause as { details?: unknown[] } | undefined)?.details : undefined;
  const [outcomes] = details ?? [];
  if (Array.isArray(outcomes)) return outcomes as NotificationOutcome[];
  throw error;
}
