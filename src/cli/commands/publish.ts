import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@temporalio/client";
import type { Command } from "commander";
import { type DatasetStatus, datasetWorkflowId, type OperationResult } from "../../contract/index.ts";
import { type Dataset, parseDuration } from "../../dataset/index.ts";
import { FreshetError } from "../../errors/index.ts";
import type { Ledger, Publication } from "../../ledger/index.ts";
import { datasetInput, signalDataset } from "../../starters/dataset-workflow.ts";
import { readSettings } from "../../worker/settings.ts";
import { appliedDataset, namedProducts } from "../applied-dataset.ts";
import { EXIT } from "../failure.ts";
import { hasWorker } from "../has-worker.ts";
import { interruptSignal } from "../interrupt.ts";
import { operateDataset } from "../operations/operate-dataset.ts";
import { type OperatorOptions, withOperatorOptions } from "../operations/options.ts";
import { reportOperation } from "../operations/report-operation.ts";
import { showLine } from "../progress.ts";
import { type Session, withSession } from "../session.ts";
import { count } from "../table.ts";
import { userName } from "../user-name.ts";

interface Options extends OperatorOptions {
  readonly dryRun?: boolean;
  readonly wait: string;
}

const EXAMPLES = `
Examples:
  freshet publish ostia                publish what is ready now, and wait until nothing is
  freshet publish ostia --dry-run      write and verify the next version, and leave it unpublished

The dataset's workflow publishes by itself; this is for those who do not want to wait for its turn.`;

export function configure(command: Command): void {
  command
    .argument("<dataset>", "name of an applied dataset")
    .option("--dry-run", "a candidate: written and verified, seen by nobody but who opens it by its id")
    .option("--wait <duration>", "how long to wait", "10m")
    .addHelpText("after", EXAMPLES)
    .action(run);
  withOperatorOptions(command);
}

async function run(name: string, options: Options): Promise<void> {
  const waitMs = parseDuration(options.wait);
  if (waitMs === undefined)
    throw new FreshetError("usage", "--wait takes a duration", { found: options.wait, expected: "30s, 2m, 1h" });
  await withSession(readSettings(options), async (session) => {
    const { dataset, hash } = await appliedDataset(await session.ledger(), name);
    const products = namedProducts(dataset, options.product);
    if (options.dryRun !== true) return publish(session, dataset, hash, { ...options, waitMs });
    const client = await session.client();
    const results: OperationResult[] = [];
    for (const product of products) {
      const asked = { kind: "candidate", product: product.name, by: options.by ?? userName() } as const;
      results.push(...(await operateDataset(client, name, asked)));
    }
    await reportOperation(dataset, results, options.json === true);
  });
}

/** A worker answers in milliseconds. */
const QUERY_MS = 2_000;
const LOOK_EVERY_MS = 200;

async function publish(
  session: Session,
  dataset: Dataset,
  hash: string,
  { waitMs, json = false, product }: Options & { readonly waitMs: number },
): Promise<void> {
  const [client, ledger] = [await session.client(), await session.ledger()];
  const { name } = dataset;
  if (!(await hasWorker(client))) {
    throw new FreshetError("unreachable", "no worker is running, so nobody can publish", { remedy: "Start one: freshet worker" });
  }
  const before = await newestOf(ledger, dataset);
  const line = showLine();
  const endsMs = Date.now() + waitMs;
  try {
    for (let left = Number.POSITIVE_INFINITY; ; ) {
      const status = await turn(client, dataset, hash, line, endsMs);
      const { ready } = await ledger.counts(name);
      const isStuck = ready >= left || status.troubles.length > 0 || status.held.length > 0;
      left = ready;
      if (ready > 0 && !isStuck) continue;
      line.end();
      await report(ledger, dataset, before, status, { ready, json, product });
      return;
    }
  } catch (error) {
    if (interruptSignal().aborted) line.above(`the publication goes on without us: freshet status ${name}`);
    throw error;
  } finally {
    line.end();
  }
}

/** Wakes the dataset's workflow and waits until it has looked and come to rest. @throws FreshetError `unreachable` when it does not. */
async function turn(
  client: Client,
  dataset: Dataset,
  hash: string,
  line: ReturnType<typeof showLine>,
  endsMs: number,
): Promise<DatasetStatus> {
  const signal = interruptSignal();
  const wakesBefore = (await statusOf(client, dataset.name))?.wakes ?? 0;
  await signalDataset(client, datasetInput(dataset, hash), { name: "wake" });
  for (;;) {
    signal.throwIfAborted();
    const status = await statusOf(client, dataset.name);
    const isAtRest = status !== undefined && ["idle", "troubled", "held", "quiet", "paused"].includes(status.stage);
    if (status !== undefined && isAtRest && status.wakes > wakesBefore) return status;
    line.show(`${dataset.name}: ${status?.stage ?? "waiting for its worker"}`);
    if (Date.now() > endsMs) {
      throw new FreshetError("unreachable", "the dataset has not come to rest yet; it goes on", {
        found: status?.stage ?? "no answer",
        remedy: `Look where it is: freshet status ${dataset.name}`,
      });
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

async function statusOf(client: Client, name: string): Promise<DatasetStatus | undefined> {
  const handle = client.workflow.getHandle(datasetWorkflowId(name));
  return client.withDeadline(Date.now() + QUERY_MS, () => handle.query<DatasetStatus>("status")).catch(() => undefined);
}

async function newestOf(ledger: Ledger, { name, products }: Dataset): Promise<Map<string, Publication | undefined>> {
  const newest = new Map<string, Publication | undefined>();
  for (const product of products) newest.set(product.name, (await ledger.publications(name, product.name, 1))[0]);
  return newest;
}

async function report(
  ledger: Ledger,
  dataset: Dataset,
  before: ReadonlyMap<string, Publication | undefined>,
  { troubles, held }: DatasetStatus,
  { ready, json, product }: { readonly ready: number; readonly json: boolean; readonly product: string | undefined },
): Promise<void> {
  for (const [name, now] of await newestOf(ledger, dataset)) {
    if (product !== undefined && product !== name) continue;
    const isNew = now !== undefined && now.sequence !== before.get(name)?.sequence;
    if (json) {
      const { sequence = null, snapshot: version = null, granules = 0 } = now ?? {};
      console.log(
        JSON.stringify({ dataset: dataset.name, product: name, isNew, sequence, version, granules, ready, troubles, held }),
      );
    } else if (isNew) {
      console.log(
        `${dataset.name}/${name}: #${now.sequence} is published: ${count(now.granules, "granule")}, version ${now.snapshot}`,
      );
    } else console.log(`${dataset.name}/${name}: nothing new${now === undefined ? "" : `, #${now.sequence} stays`}`);
  }
  for (const trouble of [...troubles, ...held]) {
    process.exitCode = EXIT.failed;
    process.stderr.write(`freshet: ${trouble}\n`);
  }
}
