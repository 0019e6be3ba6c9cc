import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { meantGranules } from "../../acquisition/index.ts";
import type { BackfillSearch, BackfillStatus, DatasetStatus } from "../../contract/index.ts";
import { datasetWorkflowId } from "../../contract/index.ts";
import { type Dataset, datasetOfText, type Product } from "../../dataset/index.ts";
import { FreshetError } from "../../errors/index.ts";
import type { Ledger, Revision } from "../../ledger/index.ts";
import { keptBack, withoutKept } from "../../publication/index.ts";
import { applyDatasets, beginBackfill } from "../../starters/index.ts";
import { type RunningWorker, readSettings, startWorker } from "../../worker/index.ts";
import { describeBackfill, followBackfill } from "../backfill/follow-backfill.ts";
import { granuleSource } from "../backfill/granule-source.ts";
import { findTemporal } from "../demo/find-temporal.ts";
import { freePort } from "../demo/free-port.ts";
import { startTemporalServer } from "../demo/temporal-server.ts";
import { EXIT } from "../failure.ts";
import { interruptSignal } from "../interrupt.ts";
import { atLeastOne } from "../operations/options.ts";
import { showLine } from "../progress.ts";
import { readDatasetFiles } from "../read-dataset-files.ts";

interface Options {
  readonly stage?: string;
  readonly from?: string;
  readonly to?: string;
  readonly source: string;
  readonly window: number;
  readonly again?: boolean;
  readonly json?: boolean;
  readonly home?: string;
}

/** What a run did to one dataset. Kept under `reports` in the home folder. */
interface Report {
  readonly dataset: string;
  readonly hash: string;
  readonly granules: BackfillStatus["counts"];
  /** The versions that it published, the oldest first. */
  readonly versions: readonly {
    readonly product: string;
    readonly sequence: number;
    readonly snapshot: string;
    readonly granules: number;
  }[];
  readonly quarantined: readonly { readonly key: string; readonly reason: string }[];
  /** Products that could not be published, and why. */
  readonly troubles: readonly string[];
}

const LOOK_EVERY_MS = 200;
const GRACE_MS = 10_000;
/** Granules in quarantine that a report names. */
const NAMED = 1_000;

const EXAMPLES = `
Examples:
  freshet run ostia.yaml --from 2017-06-01 --to 2017-06-30 --once     apply, bring in a month, publish it, end
  freshet run mur.yaml --from 2026-01-01 --to 2026-01-31 --source cmr --once   those that the source's CMR tells of (or: listing)
  freshet run ostia.yaml --source uris.txt --once --json              those that a file names

For containers and cron: without TEMPORAL_ADDRESS it starts a Temporal server of its own, on a database in the home folder, and ends it
again; what is there already is not done twice. The report is kept in the home folder (reports/). Exit code 1: something waits in
quarantine, or a product could not be published.`;

export function configure(command: Command): void {
  command
    .argument("<dataset>", "a dataset file, or the name of an applied dataset")
    .option("--from <instant>", "valid from then on (inclusive, UTC)")
    .option("--to <instant>", "valid until then (inclusive; a date stands for its whole day)")
    .addOption(granuleSource())
    .option("--window <count>", "granules under way at once; as many are published together", atLeastOne, 50)
    .option("--again", "also those that the ledger has")
    .option("--stage <name>", "the stage that is meant, for a file with stages")
    .option("--once", "end when it is done (there is no other way yet)")
    .option("--json", "print the report as JSON")
    .option("--home <folder>", "where everything of ours is (FRESHET_HOME, default .freshet)")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(what: string, options: Options): Promise<void> {
  const signal = interruptSignal();
  const given = readSettings(options);
  // Mistakes in the file or the options are told before anything is started.
  const declared = existsSync(what) ? await readDatasetFiles([what], options.stage) : undefined;
  const meant = new Map<string, readonly string[] | BackfillSearch>();
  for (const dataset of declared ?? []) meant.set(dataset.name, await meantGranules(dataset, options));
  await mkdir(given.home, { recursive: true });
  const server = await ownServer(given.home, signal);
  try {
    const settings = server === undefined ? given : { ...given, temporalAddress: server.address };
    const worker = await startWorker(settings, { graceMs: GRACE_MS });
    try {
      const reports: Report[] = [];
      for (const { dataset, hash } of await inForce(worker, what, declared))
        reports.push(
          await bringIn(worker, settings.home, {
            ...{ dataset, hash, options, signal },
            uris: meant.get(dataset.name) ?? (await meantGranules(dataset, options)),
          }),
        );
      await keep(settings.home, reports, options.json === true);
    } finally {
      await worker.stop();
    }
  } finally {
    await server?.stop();
  }
}

/** A server that ends with this process; undefined where one is named. */
async function ownServer(home: string, signal: AbortSignal) {
  const temporal = findTemporal();
  if (temporal.kind === "address") return undefined;
  const [port, uiPort] = [await freePort(0), await freePort(0)];
  return startTemporalServer({ cli: temporal.path, folder: home, port, uiPort }, signal);
}

/** The datasets of the file, applied, or the applied one of that name. */
async function inForce(worker: RunningWorker, what: string, declared: readonly Dataset[] | undefined) {
  if (declared === undefined) {
    const stored = await worker.ledger.currentDataset(what);
    if (stored !== undefined) return [{ dataset: datasetOfText(stored.text), hash: stored.hash }];
    throw new FreshetError("usage", "there is neither such a file nor an applied dataset of this name", { found: what });
  }
  const applied = await applyDatasets(worker.client, worker.ledger, declared);
  const refused = applied.find(({ kind }) => kind === "refused");
  if (refused !== undefined)
    throw new FreshetError("dataset-file", "the dataset file cannot be applied", {
      found: refused.changes.join("; "),
      path: refused.name,
    });
  return applied.map(({ name, hash }) => ({ dataset: declared.find((dataset) => dataset.name === name) as Dataset, hash }));
}

async function bringIn(
  { client, ledger }: RunningWorker,
  home: string,
  meant: {
    readonly dataset: Dataset;
    readonly hash: string;
    readonly uris: readonly string[] | BackfillSearch;
    readonly options: Options;
    readonly signal: AbortSignal;
  },
): Promise<Report> {
  const { dataset, hash, uris, options, signal } = meant;
  const { name } = dataset;
  const before = new Map<string, number>();
  for (const { name: product } of dataset.products)
    before.set(product, (await ledger.publications(name, product, 1))[0]?.sequence ?? 0);
  const { window, again = false } = options;
  const { counts } = await followBackfill(client, await beginBackfill(client, home, { name, hash }, uris, { window, again }));
  const troubles = await published(dataset, { client, ledger }, signal);
  const made = (await ledger.publications(name, undefined, 10_000)).filter(
    ({ product, sequence }) => sequence > (before.get(product) ?? 0),
  );
  const waiting = (await ledger.newest(name, NAMED)).filter(({ state }) => state === "quarantined");
  return {
    dataset: name,
    hash,
    granules: counts,
    versions: made
      .map(({ product, sequence, snapshot, granules }) => ({ product, sequence, snapshot, granules }))
      .toSorted((a, b) => a.sequence - b.sequence),
    quarantined: waiting.map(({ key, reason }) => ({ key, reason: reason ?? "" })),
    troubles,
  };
}

/** Waits until everything that is ready is published, or until the dataset says why it is not. */
async function published(
  dataset: Dataset,
  { client, ledger }: Pick<RunningWorker, "client" | "ledger">,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const line = showLine();
  const handle = client.workflow.getHandle(datasetWorkflowId(dataset.name));
  try {
    for (;;) {
      signal.throwIfAborted();
      const open = await Promise.all(dataset.products.map((product) => toBePublished(dataset, product, ledger)));
      const { stage, troubles } = await handle.query<DatasetStatus>("status");
      const isIdle = (stage === "idle" || stage === "quiet") && open.every((revisions) => revisions.length === 0);
      if (isIdle) return [];
      if ((stage === "troubled" || stage === "held") && troubles.length > 0) return troubles;
      line.show(`${dataset.name}: ${stage}`);
      await sleep(LOOK_EVERY_MS);
    }
  } finally {
    line.end();
  }
}

/** What is ready and does not wait for the rest of its run. */
async function toBePublished(dataset: Dataset, product: Product, ledger: Ledger): Promise<Revision[]> {
  const kept = keptBack(ledger, dataset, { upToSeq: Number.MAX_SAFE_INTEGER, nowMs: Date.now() });
  return withoutKept(await ledger.unpublished(dataset.name, product.name, kept === undefined ? 1 : undefined), kept);
}

async function keep(home: string, reports: readonly Report[], json: boolean): Promise<void> {
  const folder = join(home, "reports");
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${new Date().toISOString().replace(/[:.]/g, "-")}.json`);
  await writeFile(path, `${JSON.stringify(reports, undefined, 2)}\n`);
  for (const report of reports) {
    if (report.quarantined.length > 0 || report.troubles.length > 0) process.exitCode = EXIT.failed;
    if (json) console.log(JSON.stringify(report));
    else for (const text of describe(report)) console.log(text);
  }
  if (!json) console.log(`report: ${path}`);
}

function describe({ dataset, granules, versions, quarantined, troubles }: Report): string[] {
  const done = granules.announced + granules.known + granules.absent + granules.foreign + granules.held;
  const status = { dataset, total: done, done, underWay: 0, isPaused: false, counts: granules };
  const last = versions.at(-1);
  return [
    `${dataset}: ${describeBackfill(status)}`,
    last === undefined
      ? "  nothing new to publish"
      : `  ${versions.length} versions; #${last.sequence} ${last.snapshot} has ${last.granules} granules`,
    ...quarantined.map(({ key, reason }) => `  in quarantine: ${key}: ${reason}`),
    ...troubles.map((trouble) => `  not published: ${trouble}`),
  ];
}
