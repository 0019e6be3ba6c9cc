import type { Command } from "commander";
import { findGranules, meantGranules } from "../../acquisition/index.ts";
import type { BackfillSearch, FindPlace } from "../../contract/index.ts";
import type { Dataset } from "../../dataset/index.ts";
import { FreshetError } from "../../errors/index.ts";
import { type Backfill, backfills, beginBackfill } from "../../starters/index.ts";
import { readSettings } from "../../worker/settings.ts";
import { appliedDataset } from "../applied-dataset.ts";
import { describeBackfill, followBackfill } from "../backfill/follow-backfill.ts";
import { granuleSource } from "../backfill/granule-source.ts";
import { EXIT } from "../failure.ts";
import { interruptSignal } from "../interrupt.ts";
import { atLeastOne } from "../operations/options.ts";
import { showLine } from "../progress.ts";
import { withSession } from "../session.ts";
import { table } from "../table.ts";

interface Options {
  readonly from?: string;
  readonly to?: string;
  readonly source: string;
  readonly window: number;
  readonly again?: boolean;
  readonly dryRun?: boolean;
  readonly follow: boolean;
  readonly json?: boolean;
  readonly home?: string;
}

/** Uris that a dry run shows. */
const SHOWN = 10;

const EXAMPLES = `
Examples:
  freshet backfill ostia --from 2017-01-01 --to 2017-12-31             the granules that the calendar and the name grammar tell of
  freshet backfill mur-sst --from 2002-06-01 --to 2025-12-31 --source cmr   those that the source's CMR tells of
  freshet backfill mur-sst --source cmr --dry-run                      all of the collection; which they are
  freshet backfill cbofs --from 2026-01-01 --to 2026-01-31 --source listing  those in the source's folders
  freshet backfill ostia --source uris.txt                             those that a file names, one uri a line
  freshet backfill ostia --from 2017-01-01 --to 2017-12-31 --dry-run   which they are; starts nothing
  freshet backfill status                                              how far all of them are
  freshet backfill pause ostia                                         those under way end, no others begin (resume, cancel)

It goes on in the worker, behind live work, when this command ends, and where it was after a crash. The same command again meets the
same backfill. Granules that the ledger has from that place are passed over, those that are not at the source are counted.`;

export function configure(command: Command): void {
  const home = ["--home <folder>", "where the ledger is (FRESHET_HOME, default .freshet)"] as const;
  command
    .argument("<dataset>", "name of an applied dataset")
    .option("--from <instant>", "valid from then on (inclusive, UTC)")
    .option("--to <instant>", "valid until then (inclusive; a date stands for its whole day)")
    .addOption(granuleSource())
    .option("--window <count>", "granules under way at once; as many are published together", atLeastOne, 50)
    .option("--again", "also those that the ledger has")
    .option("--dry-run", "show which granules, and start nothing")
    .option("--no-follow", "start it, and do not wait")
    .option("--json", "print the end as JSON")
    .option(...home)
    .addHelpText("after", EXAMPLES)
    .action(run);
  command
    .command("status")
    .summary("how far backfills are")
    .argument("[dataset]", "only of this dataset")
    .option("--json", "print one JSON object a backfill")
    .option(...home)
    // Options that the command above has too are its, wherever they stand.
    .action((dataset: string | undefined, _options, sub: Command) => status(dataset, sub.optsWithGlobals()));
  for (const [verb, summary] of Object.entries({
    pause: "those under way end, no others begin",
    resume: "go on",
    cancel: "end it: what is ready is published, what is under way ends by itself",
  })) {
    command
      .command(verb)
      .summary(summary)
      .argument("<dataset>")
      .option(...home)
      .action((dataset: string, _options, sub: Command) => tell(verb, dataset, sub.optsWithGlobals()));
  }
}

async function run(name: string, options: Options): Promise<void> {
  const settings = readSettings(options);
  await withSession(settings, async (session) => {
    const { dataset, hash } = await appliedDataset(await session.ledger(), name);
    const { dryRun, json = false, window, again = false } = options;
    const meant = await meantGranules(dataset, options);
    if (dryRun === true) return "by" in meant ? showFound(dataset, meant, json) : showUris(meant, json);
    const client = await session.client();
    const workflowId = await beginBackfill(client, settings.home, { name, hash }, meant, { window, again });
    if (!options.follow) {
      const total = "by" in meant ? undefined : meant.length;
      console.log(json ? JSON.stringify({ workflowId, total }) : `${workflowId}: ${total ?? "looking for"} granules`);
      return;
    }
    const end = await followBackfill(client, workflowId);
    console.log(json ? JSON.stringify(end) : describeBackfill(end));
    if (end.counts.quarantined > 0) process.exitCode = EXIT.failed;
  });
}

async function status(dataset: string | undefined, options: { readonly json?: boolean; readonly home?: string }): Promise<void> {
  await withSession(readSettings(options), async (session) => {
    const found = await backfills(await session.client(), dataset);
    if (options.json === true) for (const backfill of found) console.log(JSON.stringify(backfill));
    else if (found.length === 0) console.log("no backfill");
    else
      for (const row of table([{ title: "backfill" }, { title: "state" }, { title: "done", cut: true }], found.map(rowOf)))
        console.log(row);
  });
}

async function tell(verb: string, dataset: string, options: { readonly home?: string }): Promise<void> {
  await withSession(readSettings(options), async (session) => {
    const client = await session.client();
    const running = (await backfills(client, dataset)).filter(({ state }) => state === "RUNNING");
    if (running.length === 0) throw new FreshetError("usage", "no backfill of this dataset runs", { found: dataset });
    for (const { workflowId } of running) {
      const handle = client.workflow.getHandle(workflowId);
      await (verb === "cancel" ? handle.cancel() : handle.signal(verb));
      console.log(`${workflowId}: ${verb}`);
    }
  });
}

function rowOf({ workflowId, state, status: now }: Backfill): readonly string[] {
  return [
    workflowId,
    now?.isPaused === true && state === "RUNNING" ? "paused" : state.toLowerCase(),
    now === undefined ? "" : describeBackfill(now),
  ];
}

/** Looks page by page, and keeps none but the first: there may be millions. */
async function showFound(dataset: Dataset, search: BackfillSearch, json: boolean): Promise<void> {
  const signal = interruptSignal();
  const line = showLine();
  const first: string[] = [];
  let total = 0;
  let next: FindPlace | undefined;
  try {
    do {
      signal.throwIfAborted();
      const page = await findGranules(dataset, search, next, signal);
      if (json) for (const uri of page.uris) console.log(JSON.stringify({ uri }));
      first.push(...page.uris.slice(0, SHOWN - first.length));
      total += page.uris.length;
      next = page.next;
      line.show(`${total} granules found`);
    } while (next !== undefined);
  } finally {
    line.end();
  }
  if (!json) showFirst(first, total);
}

function showUris(uris: readonly string[], json: boolean): void {
  if (json) for (const uri of uris) console.log(JSON.stringify({ uri }));
  else showFirst(uris.slice(0, SHOWN), uris.length);
}

function showFirst(first: readonly string[], total: number): void {
  console.log(`${total} granules would be asked for${total > SHOWN ? `; the first ${SHOWN}` : ""}:`);
  for (const uri of first) console.log(`  ${uri}`);
}
