import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import type { BackfillStatus } from "../../contract/index.ts";
import { type Dataset, INSTANT_FORM, parseInstant, urisBetween } from "../../dataset/index.ts";
import { FreshetError } from "../../errors/index.ts";
import { type Backfill, backfills, startBackfill } from "../../starters/index.ts";
import { readSettings } from "../../worker/settings.ts";
import { appliedDataset } from "../applied-dataset.ts";
import { EXIT } from "../failure.ts";
import { interruptSignal } from "../interrupt.ts";
import { atLeastOne } from "../operations/options.ts";
import { showLine } from "../progress.ts";
import { type Session, withSession } from "../session.ts";
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

const DAY_MS = 86_400_000;
const LOOK_EVERY_MS = 500;
/** Uris that a dry run shows. */
const SHOWN = 10;

const EXAMPLES = `
Examples:
  freshet backfill ostia --from 2017-01-01 --to 2017-12-31             the granules that the calendar and the name grammar tell of
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
    .option(
      "--source <names|file>",
      "`names`: made up from the calendar and the name grammar; else a file with a uri a line",
      "names",
    )
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
    const uris = options.source === "names" ? [...urisBetween(dataset, ...spanOf(options))] : await urisOfFile(dataset, options);
    if (options.dryRun === true) return showUris(uris, options.json === true);
    if (uris.length === 0) throw new FreshetError("usage", "there is nothing to backfill", { found: "no uris" });
    const text = `${uris.join("\n")}\n`;
    const again = options.again === true;
    const id = createHash("sha256")
      .update(JSON.stringify([name, hash, again, text]))
      .digest("hex")
      .slice(0, 12);
    const folder = join(settings.home, "backfills");
    await mkdir(folder, { recursive: true });
    const list = join(folder, `${id}.txt`);
    await writeFile(list, text);
    const input = { dataset: { name, hash }, list: pathToFileURL(list).href, total: uris.length, window: options.window, again };
    const { workflowId } = await startBackfill(await session.client(), id, input);
    if (!options.follow) {
      console.log(
        options.json === true ? JSON.stringify({ workflowId, total: uris.length }) : `${workflowId}: ${uris.length} granules`,
      );
      return;
    }
    await follow(session, workflowId, options.json === true);
  });
}

/** Shows how far it is until it ends. Ctrl-C leaves it running. */
async function follow(session: Session, workflowId: string, json: boolean): Promise<void> {
  const client = await session.client();
  const handle = client.workflow.getHandle(workflowId);
  const stopped = interruptSignal();
  const line = showLine();
  const end = handle.result().then(
    (result) => ({ result: result as BackfillStatus }),
    (error: unknown) => ({ error }),
  );
  for (;;) {
    const now = await Promise.race([end, sleep(LOOK_EVERY_MS, undefined, { signal: stopped }).catch(() => undefined)]);
    if (stopped.aborted) {
      line.end();
      process.stderr.write(`it goes on: freshet backfill status\n`);
      stopped.throwIfAborted();
    }
    if (now === undefined) {
      const status = await handle.query<BackfillStatus>("status").catch(() => undefined);
      if (status !== undefined) line.show(describe(status));
      continue;
    }
    line.end();
    if ("error" in now) {
      throw new FreshetError("conflict", "the backfill did not come to its end", {
        found: (now.error as Error).message,
        path: workflowId,
        remedy: "The same command again goes on with what is left",
        cause: now.error,
      });
    }
    console.log(json ? JSON.stringify(now.result) : describe(now.result));
    if (now.result.counts.quarantined > 0) process.exitCode = EXIT.failed;
    return;
  }
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
    now === undefined ? "" : describe(now),
  ];
}

function describe({ total, done, underWay, counts }: BackfillStatus): string {
  const parts = Object.entries(counts).flatMap(([what, count]) =>
    count === 0 || what === "announced" ? [] : [`${count} ${what}`],
  );
  return [`${done} of ${total}`, ...(underWay === 0 ? [] : [`${underWay} under way`]), ...parts].join(", ");
}

function showUris(uris: readonly string[], json: boolean): void {
  if (json) for (const uri of uris) console.log(JSON.stringify({ uri }));
  else {
    console.log(`${uris.length} granules would be asked for${uris.length > SHOWN ? `; the first ${SHOWN}` : ""}:`);
    for (const uri of uris.slice(0, SHOWN)) console.log(`  ${uri}`);
  }
}

function spanOf({ from, to }: Options): readonly [fromMs: number, toMs: number] {
  const first = instantOf("--from", from);
  const last = instantOf("--to", to);
  return [first.ms, last.isDate ? last.ms + DAY_MS - 1 : last.ms];
}

/** @throws FreshetError `usage` for what is no instant, or nothing. */
function instantOf(option: string, text: string | undefined) {
  const instant = text === undefined ? undefined : parseInstant(text);
  if (instant !== undefined) return instant;
  throw new FreshetError("usage", `${option} takes an instant`, { found: text ?? "nothing", expected: INSTANT_FORM });
}

async function urisOfFile(dataset: Dataset, { source, from, to }: Options): Promise<string[]> {
  if (from !== undefined || to !== undefined)
    throw new FreshetError("usage", "--from and --to choose among names that are made up", { found: `with --source ${source}` });
  const text = await readFile(source, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new FreshetError("usage", "the file with uris cannot be read", { found: cause.message, path: source, cause });
  });
  const lines = text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
  return lines.map((line) => (line.includes("://") ? line : new URL(line, dataset.source.at).href));
}
