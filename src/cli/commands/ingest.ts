import type { Command } from "commander";
import { parseDuration } from "../../dataset/index.ts";
import { FreshetError } from "../../errors/index.ts";
import { type Announced, Announcer } from "../../starters/index.ts";
import { readSettings } from "../../worker/settings.ts";
import { EXIT } from "../failure.ts";
import { followGranule, type GranuleEnd } from "../follow-granule.ts";
import { ingestUris } from "../ingest-sources.ts";
import { interruptSignal } from "../interrupt.ts";
import { showCount } from "../progress.ts";
import { withSession } from "../session.ts";

interface Options {
  readonly dataset?: string;
  readonly wait: string | false;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly home?: string;
}

const EXAMPLES = `
Examples:
  freshet ingest granules/20170605120000-UKMO-….nc      one file, until readers see it
  freshet ingest 'granules/*.nc' --dataset ostia        many, for one dataset only
  freshet ingest https://example.org/g.nc --no-wait     only announce it
  freshet ingest 'granules/*.nc' --dry-run              which dataset and granule each name is

A granule is for every dataset whose source may name its place and whose grammar knows its name.
What is announced stays announced: Ctrl-C, or the end of the waiting, does not take it back.`;

export function configure(command: Command): void {
  command
    .argument("<source...>", "paths, globs in quotes, or URLs")
    .option("--dataset <name>", "only for this dataset")
    .option("--wait <duration>", "how long to wait until readers see each", "2m")
    .option("--no-wait", "announce only")
    .option("--dry-run", "show what would be announced")
    .option("--json", "print one JSON object a granule")
    .option("--home <folder>", "where the ledger is (FRESHET_HOME, default .freshet)")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(words: readonly string[], options: Options): Promise<void> {
  const waitMs = options.wait === false ? 0 : parseDuration(options.wait);
  if (waitMs === undefined)
    throw new FreshetError("usage", "--wait takes a duration", { found: String(options.wait), expected: "30s, 2m, 1h" });
  const signal = interruptSignal();
  const uris = await ingestUris(words);
  await withSession(readSettings(options), async (session) => {
    const ledger = await session.ledger();
    if ((await ledger.datasets()).length === 0) {
      throw new FreshetError("usage", "no dataset is applied yet", {
        uri: ledger.uri,
        remedy: "Apply one first: freshet apply datasets/ostia.yaml",
      });
    }
    const announcer = new Announcer(await session.client(), ledger);
    const followed: Followed[] = [];
    for (const uri of uris) {
      signal.throwIfAborted();
      const routes = await announcer.routes(uri, options.dataset);
      if (routes.length === 0) report({ uri, outcome: "unknown", reason: NOBODY_KNOWS }, options);
      else if (options.dryRun === true) {
        for (const { dataset, key } of routes)
          report({ uri, dataset: dataset.name, key, outcome: "would be announced", reason: "" }, options);
      } else {
        const announced = await announcer.announce({ uri, by: "cli", heardMs: Date.now() }, { only: options.dataset });
        for (const granule of announced) followed.push({ uri, ...granule });
      }
    }
    if (waitMs === 0) {
      for (const granule of followed) report({ ...granule, outcome: "announced", reason: "" }, options);
      return;
    }
    const done = showCount("published or decided", followed.length);
    const client = await session.client();
    await inTurn(followed, AT_ONCE, async (granule) => {
      const end = await followGranule(client, ledger, granule, { waitMs, signal });
      done.one(() => report({ ...granule, ...end }, options));
    }).finally(done.end);
  });
}

/** Granules that are asked after at the same time. */
const AT_ONCE = 16;
const NOBODY_KNOWS =
  "no dataset knows this place and name: its source's `at` and its `match` decide; freshet status lists the datasets";

interface Followed extends Announced {
  readonly uri: string;
}

/** Runs the work for each item, `width` at a time, in their order. Rejects with the first error. */
async function inTurn<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  await Promise.all(
    Array.from({ length: Math.min(width, items.length) }, async () => {
      for (const item of left) await work(item);
    }),
  );
}

interface Line extends Omit<GranuleEnd, "outcome"> {
  readonly uri: string;
  readonly dataset?: string;
  readonly key?: string;
  readonly outcome: GranuleEnd["outcome"] | "unknown" | "announced" | "would be announced";
}

function report(line: Line, options: Options): void {
  const isBad =
    line.outcome === "unknown" || line.outcome === "quarantined" || line.outcome === "waiting" || line.outcome === "failed";
  if (isBad) process.exitCode = EXIT.failed;
  if (options.json === true) {
    console.log(JSON.stringify(line));
    return;
  }
  const name = line.key === undefined ? line.uri : `${line.dataset} ${line.key}`;
  const text = `${name}: ${line.outcome}${line.version === undefined ? "" : ` in version ${line.version}`}${line.reason === "" ? "" : ` (${line.reason})`}`;
  if (isBad) console.error(`freshet: ${text}`);
  else console.log(text);
}
